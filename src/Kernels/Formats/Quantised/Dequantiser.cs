using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Formats.Quantised;

/// <summary>What stored numbers mean: blocks of the commoner types as 32-bit floats, the very same as ggml's own.</summary>
public static class Dequantiser
{
    private delegate void BlockReader(ReadOnlySpan<byte> block, Span<float> values);

    private static readonly Dictionary<string, BlockReader> Readers = new(StringComparer.Ordinal)
    {
        ["F32"] = (block, values) => values[0] = BinaryPrimitives.ReadSingleLittleEndian(block),
        ["F16"] = (block, values) => values[0] = (float)BinaryPrimitives.ReadHalfLittleEndian(block),
        ["BF16"] = (block, values) => values[0] = Bf16(BinaryPrimitives.ReadUInt16LittleEndian(block)),
        ["Q4_0"] = SimpleBlocks.Q4Zero,
        ["Q4_1"] = SimpleBlocks.Q4One,
        ["Q5_0"] = SimpleBlocks.Q5Zero,
        ["Q5_1"] = SimpleBlocks.Q5One,
        ["Q8_0"] = SimpleBlocks.Q8Zero,
        ["Q4_K"] = SuperBlocks.Q4,
        ["Q5_K"] = SuperBlocks.Q5,
        ["Q6_K"] = SuperBlocks.Q6,
    };

    /// <summary>Names of the types that can be read.</summary>
    public static IReadOnlyCollection<string> Types => Readers.Keys;

    public static bool Reads(GgufTensorType type) => Readers.ContainsKey(type.Name);

    /// <summary>Whole blocks into floats.</summary>
    /// <param name="blocks">As stored: a whole number of the type's blocks.</param>
    /// <param name="values">As many as the blocks hold.</param>
    /// <exception cref="NotSupportedException">The type is none of <see cref="Types"/>.</exception>
    public static void Read(GgufTensorType type, ReadOnlySpan<byte> blocks, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(type);
        if (!Readers.TryGetValue(type.Name, out var reader))
            throw new NotSupportedException($"Numbers of type {type.Name} cannot be read here.");
        var count = blocks.Length / type.BlockBytes;
        if (count * type.BlockBytes != blocks.Length || (long)count * type.BlockItems != values.Length)
            throw new ArgumentException(
                $"{blocks.Length} bytes of {type.Name} are not {values.Length} numbers.",
                nameof(blocks)
            );
        if (type == GgufTensorType.F32 && BitConverter.IsLittleEndian)
        {
            blocks.CopyTo(MemoryMarshal.AsBytes(values));
            return;
        }
        for (var i = 0; i < count; i++)
        {
            reader(
                blocks.Slice(i * type.BlockBytes, type.BlockBytes),
                values.Slice(i * type.BlockItems, type.BlockItems)
            );
        }
    }

    /// <summary>The float whose upper half these bits are.</summary>
    public static float Bf16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
