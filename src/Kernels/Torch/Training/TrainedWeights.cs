using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Weights;
using EgpuFleet.Kernels.Torch.Worker;
using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Which weights of a model are trained: all of them, or adapters beside frozen ones.</summary>
internal static class TrainedWeights
{
    public static LlamaModel Load(IWeightSource source, TrainSpec spec, CancellationToken cancellationToken)
    {
        var type = spec.Method == TrainMethod.Full ? ScalarType.Float32 : TorchSession.FloatsOf(spec);
        return Prepare(source.Config, ModelOnDisk.Load(source, type, cancellationToken), spec);
    }

    /// <summary>Makes weights trained ones, or puts adapters beside them.</summary>
    public static LlamaModel Prepare(
        LlamaConfig config,
        IReadOnlyList<(string Name, Tensor Value)> weights,
        TrainSpec spec
    )
    {
        foreach (var (_, value) in spec.Method == TrainMethod.Full ? weights : [])
            _ = value.requires_grad_();
        var adapters = Targets(config, spec)
            .Select(entry => Adapter.Start(entry.Name, entry.Outputs, entry.Inputs, spec.Adapter!, spec.Seed));
        return new LlamaModel(config, weights, [.. adapters], config.Context, TorchSession.FloatsOf(spec));
    }

    /// <summary>In the order of the state's file.</summary>
    public static IReadOnlyList<(string Name, Tensor Value)> Of(LlamaModel model, TrainSpec spec)
    {
        if (spec.Adapter is not { } shape)
            return model.Parameters;
        var trained = new List<(string, Tensor)>();
        foreach (var adapter in model.Adapters)
        {
            if (!shape.FrozenA)
                trained.Add((adapter.Name + ".lora_a", adapter.A));
            trained.Add((adapter.Name + ".lora_b", adapter.B));
        }
        return trained;
    }

    /// <summary>The matrices with an adapter beside them, by layer, then in the order of a block; none where all is trained.</summary>
    public static IEnumerable<(string Name, long Outputs, long Inputs)> Targets(LlamaConfig config, TrainSpec spec)
    {
        if (spec.Adapter is not { } shape)
            yield break;
        var shapes = WeightTable
            .Of(config)
            .ToDictionary(entry => entry.Name, entry => entry.Shape, StringComparer.Ordinal);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            foreach (
                var target in AdapterTargets.Usual.Where(one => shape.Targets.Contains(one, StringComparer.Ordinal))
            )
            {
                var name = WeightTable.Prefix(layer) + target;
                var (outputs, inputs) = (shapes[name + ".weight"][0], shapes[name + ".weight"][1]);
                yield return (name, outputs, inputs);
            }
        }
    }
}
