using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>How the matrices of a <see cref="SyntheticModel"/> are stored. Its vectors are always F32, as converters write them.</summary>
public enum WeightKind
{
    F32,
    Q4_0,
    Q8_0,
    Q4_K,
}

internal static class WeightKinds
{
    public static GgufTensorType Type(this WeightKind kind) =>
        kind switch
        {
            WeightKind.Q4_0 => GgufTensorType.Find(2)!,
            WeightKind.Q8_0 => GgufTensorType.Find(8)!,
            WeightKind.Q4_K => GgufTensorType.Find(12)!,
            _ => GgufTensorType.F32,
        };
}
