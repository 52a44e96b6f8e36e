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
        var compute = TorchSession.FloatsOf(spec);
        var isFull = spec.Method == TrainMethod.Full;
        var weights = ModelOnDisk.Load(source, isFull ? ScalarType.Float32 : compute, cancellationToken);
        if (isFull)
        {
            foreach (var (_, value) in weights)
                _ = value.requires_grad_();
        }
        var adapters = Targets(source.Config, spec)
            .Select(entry => Adapter.Start(entry.Name, entry.Outputs, entry.Inputs, spec.Adapter!, spec.Seed));
        return new LlamaModel(source.Config, weights, [.. adapters], source.Config.Context, compute);
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
