using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Noops;

/// <summary>
/// Bodies of noop frames, all numbers little-endian. To the worker, any number of: u8 1, i64 lane (give it up); or u8 0,
/// i64 lane, i32 index, i32 milliseconds, u8 fault, u32 length, payload. From it, any number of: i64 lane, i32 index,
/// i32 milliseconds, i64 start in microseconds since 1970, u8 0, 32 bytes of SHA-256; or ..., u8 1, u8 error class,
/// u16 length, text. Binary, because a JSON object for each of ten thousand noops a second would cost more than the noops.
/// </summary>
internal static class NoopCodec
{
    private const byte Run = 0;
    private const byte Cancel = 1;
    private const byte Succeeded = 0;
    private const byte Failed = 1;
    private const int CancelBytes = 1 + 8;
    private const int RunBytes = CancelBytes + 4 + 4 + 1 + 4;
    private const int AnswerBytes = 8 + 4 + 4 + 8 + 1;

    /// <summary>The payload fits into a frame: its channel has looked.</summary>
    public static void Write(IBufferWriter<byte> body, in NoopWork work)
    {
        var length = Encoding.UTF8.GetByteCount(work.Payload);
        var span = body.GetSpan(RunBytes + length);
        span[0] = Run;
        BinaryPrimitives.WriteInt64LittleEndian(span[1..], work.Lane);
        BinaryPrimitives.WriteInt32LittleEndian(span[9..], work.Index);
        BinaryPrimitives.WriteInt32LittleEndian(span[13..], work.DurationMilliseconds);
        span[17] = (byte)work.Fault;
        BinaryPrimitives.WriteUInt32LittleEndian(span[18..], (uint)length);
        Encoding.UTF8.GetBytes(work.Payload, span[RunBytes..]);
        body.Advance(RunBytes + length);
    }

    public static void WriteCancel(IBufferWriter<byte> body, long lane)
    {
        var span = body.GetSpan(CancelBytes);
        span[0] = Cancel;
        BinaryPrimitives.WriteInt64LittleEndian(span[1..], lane);
        body.Advance(CancelBytes);
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>.</exception>
    public static List<NoopCommand> ReadCommands(ReadOnlyMemory<byte> body)
    {
        var commands = new List<NoopCommand>();
        while (!body.IsEmpty)
        {
            var span = Prefix(body, CancelBytes).Span;
            var lane = BinaryPrimitives.ReadInt64LittleEndian(span[1..]);
            if (span[0] == Cancel)
            {
                commands.Add(new(Cancel: true, lane, 0, 0, NoopFault.None, default));
                body = body[CancelBytes..];
                continue;
            }
            span = Prefix(body, RunBytes).Span;
            var milliseconds = BinaryPrimitives.ReadInt32LittleEndian(span[13..]);
            var fault = (NoopFault)span[17];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(span[18..]);
            if (span[0] != Run || milliseconds < 0 || fault > NoopFault.Hang || length > body.Length - RunBytes)
                throw Violation();
            var index = BinaryPrimitives.ReadInt32LittleEndian(span[9..]);
            commands.Add(new(Cancel: false, lane, index, milliseconds, fault, body.Slice(RunBytes, (int)length)));
            body = body[(RunBytes + (int)length)..];
        }
        return commands;
    }

    public static void WriteDigest(
        IBufferWriter<byte> body,
        in NoopCommand noop,
        DateTimeOffset startedAt,
        int milliseconds
    )
    {
        var span = body.GetSpan(AnswerBytes + SHA256.HashSizeInBytes);
        WriteAnswer(span, noop, startedAt, milliseconds, Succeeded);
        SHA256.HashData(noop.Payload.Span, span[AnswerBytes..]);
        body.Advance(AnswerBytes + SHA256.HashSizeInBytes);
    }

    public static void WriteError(
        IBufferWriter<byte> body,
        in NoopCommand noop,
        DateTimeOffset startedAt,
        int milliseconds,
        EngineErrorClass errorClass,
        string text
    )
    {
        var length = Encoding.UTF8.GetByteCount(text);
        var span = body.GetSpan(AnswerBytes + 1 + 2 + length);
        WriteAnswer(span, noop, startedAt, milliseconds, Failed);
        span[AnswerBytes] = (byte)errorClass;
        BinaryPrimitives.WriteUInt16LittleEndian(span[(AnswerBytes + 1)..], checked((ushort)length));
        Encoding.UTF8.GetBytes(text, span[(AnswerBytes + 3)..]);
        body.Advance(AnswerBytes + 3 + length);
    }

    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>.</exception>
    public static List<NoopAnswer> ReadAnswers(ReadOnlySpan<byte> body)
    {
        var answers = new List<NoopAnswer>();
        while (!body.IsEmpty)
        {
            var head = Prefix(body, AnswerBytes);
            var lane = BinaryPrimitives.ReadInt64LittleEndian(head);
            var index = BinaryPrimitives.ReadInt32LittleEndian(head[8..]);
            var milliseconds = BinaryPrimitives.ReadInt32LittleEndian(head[12..]);
            var startedAt = FromMicroseconds(BinaryPrimitives.ReadInt64LittleEndian(head[16..]));
            body = body[AnswerBytes..];
            if (head[24] == Succeeded)
            {
                var digest = Convert.ToHexStringLower(Prefix(body, SHA256.HashSizeInBytes));
                answers.Add(new(lane, index, digest, startedAt, milliseconds, Error: null));
                body = body[SHA256.HashSizeInBytes..];
                continue;
            }
            var errorClass = (EngineErrorClass)Prefix(body, 3)[0];
            var length = BinaryPrimitives.ReadUInt16LittleEndian(body[1..]);
            if (head[24] != Failed || !Enum.IsDefined(errorClass))
                throw Violation();
            var text = Encoding.UTF8.GetString(Prefix(body[3..], length));
            answers.Add(new(lane, index, Sha256: null, startedAt, milliseconds, new EngineException(errorClass, text)));
            body = body[(3 + length)..];
        }
        return answers;
    }

    private static void WriteAnswer(
        Span<byte> span,
        in NoopCommand noop,
        DateTimeOffset startedAt,
        int milliseconds,
        byte status
    )
    {
        BinaryPrimitives.WriteInt64LittleEndian(span, noop.Lane);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], noop.Index);
        BinaryPrimitives.WriteInt32LittleEndian(span[12..], milliseconds);
        var microseconds = (startedAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        BinaryPrimitives.WriteInt64LittleEndian(span[16..], microseconds);
        span[24] = status;
    }

    private static DateTimeOffset FromMicroseconds(long microseconds) =>
        microseconds is >= 0 and < 253_402_300_800_000_000
            ? DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond)
            : throw Violation();

    private static ReadOnlyMemory<byte> Prefix(ReadOnlyMemory<byte> body, int length) =>
        body.Length >= length ? body[..length] : throw Violation();

    private static ReadOnlySpan<byte> Prefix(ReadOnlySpan<byte> body, int length) =>
        body.Length >= length ? body[..length] : throw Violation();

    private static EngineException Violation() =>
        new(EngineErrorClass.ProtocolViolation, "A noop frame's body is cut short or holds an unknown word.");
}
