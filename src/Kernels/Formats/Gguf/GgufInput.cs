using System.Buffers.Binary;
using System.Text;

namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>
/// Reads the primitives of the format from a seekable stream with one small buffer. Every read is checked against the
/// length the stream had when it was opened, so no announced size is believed before its bytes are known to exist.
/// </summary>
internal sealed class GgufInput
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly Stream stream;
    private readonly byte[] buffer = new byte[16 << 10];
    private long bufferStart;
    private int bufferLength;

    public GgufInput(Stream stream)
    {
        this.stream = stream;
        Length = stream.Length;
    }

    public long Length { get; }

    public long Position { get; private set; }

    public byte ReadByte() => Read(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Read(8));

    /// <summary>A length or count; more than <paramref name="limit"/> is refused before anything is reserved for it.</summary>
    public int ReadCount(int limit, string what)
    {
        var count = ReadUInt64();
        if (count > (ulong)limit)
            throw new GgufException(GgufFault.Limit, $"{what} is {count}, more than the {limit} this program accepts.");
        return (int)count;
    }

    /// <summary>A length-prefixed text.</summary>
    public string ReadString(int limitBytes, string what)
    {
        var length = ReadCount(limitBytes, $"The length of {what}");
        Require(length, what);
        var bytes = length <= buffer.Length ? Read(length) : ReadLong(new byte[length]);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new GgufException(GgufFault.Text, $"The text of {what} is not valid UTF-8.");
        }
    }

    /// <summary>Moves on without looking at the bytes.</summary>
    public void Skip(long count, string what)
    {
        Require(count, what);
        Position += count;
    }

    public void Seek(long position) => Position = position;

    /// <summary>Fills the span from the present position.</summary>
    public void ReadExactly(Span<byte> destination)
    {
        Require(destination.Length, "data");
        stream.Position = Position;
        try
        {
            stream.ReadExactly(destination);
        }
        catch (EndOfStreamException)
        {
            throw Truncated("data");
        }
        Position += destination.Length;
    }

    private byte[] ReadLong(byte[] destination)
    {
        ReadExactly(destination);
        return destination;
    }

    private ReadOnlySpan<byte> Read(int count)
    {
        Require(count, "the header");
        if (Position < bufferStart || Position + count > bufferStart + bufferLength)
            Fill(count);
        var span = buffer.AsSpan((int)(Position - bufferStart), count);
        Position += count;
        return span;
    }

    private void Fill(int count)
    {
        stream.Position = Position;
        bufferStart = Position;
        bufferLength = stream.ReadAtLeast(buffer, count, throwOnEndOfStream: false);
        if (bufferLength < count)
            throw Truncated("the header");
    }

    private void Require(long count, string what)
    {
        if (count > Length - Position)
            throw Truncated(what);
    }

    private GgufException Truncated(string what) =>
        new(GgufFault.Truncated, $"The file ends at byte {Length}, inside {what} that starts at byte {Position}.");
}
