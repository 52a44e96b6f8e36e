namespace EgpuFleet.Kernels.Formats.Safetensors;

/// <summary>One tensor of a file; its extent was checked to lie inside the file and to be its own.</summary>
/// <param name="Name">Unique in the file.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">Sizes, slowest-changing first: a matrix of r rows and c columns is [r, c]; none for a single number.</param>
/// <param name="Offset">Where its first byte is in the file.</param>
/// <param name="Bytes">Its size.</param>
public sealed record SafetensorsTensor(
    string Name,
    SafetensorsType Type,
    IReadOnlyList<long> Shape,
    long Offset,
    long Bytes
);
