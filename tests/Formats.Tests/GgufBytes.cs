using System.Buffers.Binary;
using System.Text;

namespace EgpuFleet.Formats.Tests;

/// <summary>Writes a GGUF header field by field, so that tests can lie in any of them.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> bytes = [];

    public static GgufBytes Header(ulong tensors, ulong pairs, uint version = 3) =>
        new GgufBytes().Raw("GGUF"u8).U32(version).U64(tensors).U64(pairs);

    public GgufBytes Raw(ReadOnlySpan<byte> more)
    {
        bytes.AddRange(more);
        return this;
    }

    public GgufBytes U32(uint value)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, value);
        return Raw(number);
    }

    public GgufBytes U64(ulong value)
    {
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(number, value);
        return Raw(number);
    }

    public GgufBytes Text(string value)
    {
        var utf8 = Encoding.UTF8.GetBytes(value);
        return U64((ulong)utf8.Length).Raw(utf8);
    }

    /// <summary>One entry of the tensor table.</summary>
    public GgufBytes Tensor(string name, uint type, ulong offset, params ulong[] dimensions)
    {
        Text(name).U32((uint)dimensions.Length);
        foreach (var size in dimensions)
            U64(size);
        return U32(type).U64(offset);
    }

    /// <summary>Pads to 32 bytes and appends tensor data.</summary>
    public byte[] WithData(int count) => Raw(new byte[((32 - (bytes.Count % 32)) % 32) + count]).ToArray();

    public byte[] ToArray() => [.. bytes];
}
