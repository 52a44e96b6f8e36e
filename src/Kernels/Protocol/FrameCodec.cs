using System.Buffers;
using System.Buffers.Binary;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>One message: a JSON header and a raw body, which may be empty.</summary>
public readonly record struct Frame(ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Body);

/// <summary>
/// On the stream a frame is: u32 little-endian header length, u32 little-endian body length, header, body. Lengths are
/// checked before a byte is allocated for them.
/// </summary>
public static class FrameCodec
{
    private const int PrefixBytes = 8;

    /// <summary>The next frame, or null where the stream ends between two frames.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>: a length is out of bounds.</exception>
    /// <exception cref="EndOfStreamException">The stream ends inside a frame.</exception>
    public static async ValueTask<Frame?> ReadAsync(
        Stream stream,
        int maxBodyBytes = Limits.BodyBytes,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(stream);
        var prefix = new byte[PrefixBytes];
        var got = await stream.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, cancellationToken);
        if (got == 0)
            return null;
        if (got < PrefixBytes)
            throw new EndOfStreamException("The stream ended inside a frame's lengths.");

        var headerBytes = BinaryPrimitives.ReadUInt32LittleEndian(prefix);
        var bodyBytes = BinaryPrimitives.ReadUInt32LittleEndian(prefix.AsSpan(4));
        if (headerBytes is 0 or > Limits.HeaderBytes)
            throw Violation("header", headerBytes, Limits.HeaderBytes);
        if (bodyBytes > maxBodyBytes)
            throw Violation("body", bodyBytes, maxBodyBytes);

        var payload = new byte[headerBytes + bodyBytes];
        await stream.ReadExactlyAsync(payload, cancellationToken);
        return new Frame(payload.AsMemory(0, (int)headerBytes), payload.AsMemory((int)headerBytes));
    }

    /// <summary>Writes a frame in one piece; callers serialise their calls.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: too large; nothing was written.</exception>
    public static async ValueTask WriteAsync(Stream stream, Frame frame, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (frame.Header.Length is 0 or > Limits.HeaderBytes)
            throw TooLarge("header", frame.Header.Length, Limits.HeaderBytes);
        if (frame.Body.Length > Limits.BodyBytes)
            throw TooLarge("body", frame.Body.Length, Limits.BodyBytes);

        var length = PrefixBytes + frame.Header.Length + frame.Body.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            BinaryPrimitives.WriteUInt32LittleEndian(buffer, (uint)frame.Header.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(4), (uint)frame.Body.Length);
            frame.Header.CopyTo(buffer.AsMemory(PrefixBytes));
            frame.Body.CopyTo(buffer.AsMemory(PrefixBytes + frame.Header.Length));
            await stream.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static EngineException Violation(string part, long actual, long limit) =>
        new(
            EngineErrorClass.ProtocolViolation,
            $"A frame's {part} of {actual} bytes is not in 1..{limit}.",
            actual,
            limit
        );

    private static EngineException TooLarge(string part, long actual, long limit) =>
        new(EngineErrorClass.InvalidRequest, $"A {part} of {actual} bytes is not in 1..{limit}.", actual, limit);
}
