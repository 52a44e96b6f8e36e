using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>
/// A GGUF file of version 2 or 3, little-endian: its metadata and tensor table. The file is hostile until the
/// constructor has returned: every count, length, type, duplicate, alignment and extent is checked against the format,
/// the file's own length and <see cref="Limits"/>, and nothing is reserved for an announced size before that.
/// </summary>
public sealed class GgufReader
{
    private readonly GgufInput input;

    private GgufReader(GgufInput input, GgufHeader header, IReadOnlyList<GgufTensor> tensors, long dataOffset)
    {
        this.input = input;
        Version = header.Version;
        Alignment = header.Alignment;
        Metadata = header.Metadata;
        Tensors = tensors;
        DataOffset = dataOffset;
    }

    /// <summary>Version of the format: 2 or 3.</summary>
    public int Version { get; }

    /// <summary>Alignment of tensor data in bytes, a power of two.</summary>
    public int Alignment { get; }

    /// <summary>The metadata pairs.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensor table in the order of the file.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Where tensor data starts in the file.</summary>
    public long DataOffset { get; }

    /// <summary>Reads and checks the header. The stream stays the caller's and must outlive reads of arrays and tensors.</summary>
    /// <param name="stream">Seekable and readable; read from its start.</param>
    /// <exception cref="GgufException">The file is not acceptable; see <see cref="GgufException.Code"/>.</exception>
    public static GgufReader Open(Stream stream)
    {
        if (!stream.CanSeek)
            throw new ArgumentException("The stream must be seekable.", nameof(stream));
        var source = new GgufInput(stream);
        var header = GgufHeader.Read(source);
        var (tensors, dataOffset) = GgufTensorTable.Read(source, header);
        return new GgufReader(source, header, tensors, dataOffset);
    }

    /// <summary>The items of an array of texts.</summary>
    /// <exception cref="GgufException">Not texts, not valid UTF-8, or more than <see cref="Limits.ReadArrayBytes"/>.</exception>
    public string[] ReadTexts(GgufArray array)
    {
        RequireReadable(array, array.ItemType == GgufValueType.Text, "texts");
        input.Seek(array.Offset);
        var texts = new string[array.Count];
        for (var i = 0; i < texts.Length; i++)
            texts[i] = input.ReadString(Limits.ArrayStringBytes, "an array item");
        return texts;
    }

    /// <summary>The items of an array of 32-bit whole numbers, signed or not.</summary>
    /// <exception cref="GgufException">Of another type, or more than <see cref="Limits.ReadArrayBytes"/>.</exception>
    public int[] ReadNumbers(GgufArray array)
    {
        RequireReadable(array, array.ItemType is GgufValueType.I32 or GgufValueType.U32, "whole numbers");
        var numbers = new int[array.Count];
        input.Seek(array.Offset);
        var bytes = MemoryMarshal.AsBytes(numbers.AsSpan());
        input.ReadExactly(bytes);
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(numbers, numbers);
        return numbers;
    }

    /// <summary>The items of an array of 32-bit floats.</summary>
    /// <exception cref="GgufException">Of another type, or more than <see cref="Limits.ReadArrayBytes"/>.</exception>
    public float[] ReadSingles(GgufArray array)
    {
        RequireReadable(array, array.ItemType == GgufValueType.F32, "floats");
        var bits = new uint[array.Count];
        input.Seek(array.Offset);
        input.ReadExactly(MemoryMarshal.AsBytes(bits.AsSpan()));
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(bits, bits);
        return Array.ConvertAll(bits, BitConverter.UInt32BitsToSingle);
    }

    /// <summary>The raw bytes of a tensor from <paramref name="offset"/> on, as many as the span holds.</summary>
    public void ReadTensor(GgufTensor tensor, long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.Length > tensor.Bytes - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), $"Beyond the {tensor.Bytes} bytes of {tensor.Name}.");
        input.Seek(tensor.Offset + offset);
        input.ReadExactly(destination);
    }

    /// <summary>The bytes of a metadata value.</summary>
    internal void CopyValue(GgufPair pair, Stream destination)
    {
        input.Seek(pair.Offset);
        var buffer = new byte[Math.Min(pair.Bytes, Limits.StringBytes)];
        for (var left = pair.Bytes; left > 0; left -= buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            input.ReadExactly(piece);
            destination.Write(piece);
        }
    }

    private static void RequireReadable(GgufArray array, bool typeFits, string wanted)
    {
        if (!typeFits)
            throw new GgufException(GgufFault.ValueType, $"An array of {array.ItemType} holds no {wanted}.");
        if (array.Bytes > Limits.ReadArrayBytes)
            throw new GgufException(GgufFault.Limit, $"An array of {array.Bytes} bytes is too large to read at once.");
    }
}
