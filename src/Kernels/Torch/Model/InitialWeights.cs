using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>Weights from a seeded normal distribution; projections back into the residual stream start smaller.</summary>
internal static class InitialWeights
{
    private const float Deviation = 0.02f;

    public static IReadOnlyList<(string Name, Tensor Value)> Of(LlamaConfig config, long seed)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return [.. WeightTable.Of(config).Select(entry => (entry.Name, Value(entry.Name, entry.Shape)))];

        Tensor Value(string name, long[] shape)
        {
            using var scope = NewDisposeScope();
            var value =
                shape.Length > 1 ? randn(shape, generator: generator) * DeviationOf(config, name)
                : name.EndsWith(".bias", StringComparison.Ordinal) ? zeros(shape)
                : ones(shape);
            return value.DetachFromDisposeScope();
        }
    }

    private static float DeviationOf(LlamaConfig config, string name) =>
        name.EndsWith("attn_output.weight", StringComparison.Ordinal)
        || name.EndsWith("ffn_down.weight", StringComparison.Ordinal)
            ? Deviation / MathF.Sqrt(2f * config.Layers)
            : Deviation;
}
