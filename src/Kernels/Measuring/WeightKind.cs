using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Measuring;

/// <summary>How a model's weights are stored, as coarsely as speed depends on it.</summary>
public enum WeightKind
{
    /// <summary>About 4 bits a weight.</summary>
    Q4,

    /// <summary>About 8 bits a weight.</summary>
    Q8,

    /// <summary>16 bits a weight, or more.</summary>
    F16,
}

internal static class WeightKinds
{
    /// <summary>The storage that stands for a kind when it is measured: the most common one of it.</summary>
    public static GgufTensorType TypeOf(WeightKind kind) =>
        kind switch
        {
            WeightKind.Q4 => GgufTensorType.Q4K,
            WeightKind.Q8 => GgufTensorType.Q8Zero,
            WeightKind.F16 => GgufTensorType.F16,
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind of weights without a storage."),
        };
}
