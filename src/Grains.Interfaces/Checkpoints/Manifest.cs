namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>What a checkpoint consists of: tensors, and blobs as tensors of bytes, each a list of chunks.</summary>
public sealed record Manifest(IReadOnlyList<ManifestTensor> Tensors)
{
    /// <summary>Words about the whole, as those of a safetensors file; nothing here reads them.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>Element of a tensor. Stored as its number: append, never renumber.</summary>
public enum ElementType
{
    /// <summary>Also any blob, with its length as the shape.</summary>
    U8 = 0,
    I32 = 1,
    I64 = 2,
    F16 = 3,
    BF16 = 4,
    F32 = 5,
    F64 = 6,
}

/// <summary>One tensor: row-major, little-endian, cut into chunks of <paramref name="ChunkBytes"/>, the last one shorter.</summary>
/// <param name="Shape">Sizes of its dimensions; none: a scalar.</param>
/// <param name="Hashes">SHA-256 of its chunks, 32 bytes each, in order.</param>
public sealed record ManifestTensor(
    string Name,
    ElementType Type,
    IReadOnlyList<long> Shape,
    long SizeBytes,
    int ChunkBytes,
    byte[] Hashes
)
{
    /// <summary>How many chunks its size makes; what <see cref="Hashes"/> holds is another matter until it is checked.</summary>
    public long ChunkCount => (SizeBytes + ChunkBytes - 1) / ChunkBytes;

    public ChunkHash HashOf(int chunk) => ChunkHash.Read(Hashes.AsSpan(chunk * ChunkHash.Bytes));

    public int SizeOf(int chunk) => (int)Math.Min(ChunkBytes, SizeBytes - (long)chunk * ChunkBytes);

    /// <summary>Bytes of one element.</summary>
    public static int Width(ElementType type) =>
        type switch
        {
            ElementType.U8 => 1,
            ElementType.F16 or ElementType.BF16 => 2,
            ElementType.I32 or ElementType.F32 => 4,
            ElementType.I64 or ElementType.F64 => 8,
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an element type."),
        };
}
