namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>One tensor of the table; its extent was checked to lie inside the file.</summary>
/// <param name="Name">Unique in the file.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Dimensions">Sizes, fastest-changing first: a matrix of r rows and c columns is [c, r].</param>
/// <param name="Offset">Where its first byte is in the file.</param>
/// <param name="Bytes">Its size in the file without padding.</param>
public sealed record GgufTensor(
    string Name,
    GgufTensorType Type,
    IReadOnlyList<long> Dimensions,
    long Offset,
    long Bytes
)
{
    /// <summary>How many numbers it holds.</summary>
    public long Items => Dimensions.Aggregate(1L, (product, size) => product * size);
}
