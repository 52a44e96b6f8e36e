using System.Buffers;
using System.IO.Pipelines;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>The lines of a stream, one in memory at a time, at most <see cref="Limits.LineBytes"/> each.</summary>
public sealed class LineReader(Stream stream) : IAsyncDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly PipeReader pipe = PipeReader.Create(
        stream,
        new StreamPipeReaderOptions(bufferSize: BufferBytes, minimumReadSize: BufferBytes / 2, leaveOpen: true)
    );

    private SequencePosition? consumed;

    /// <summary>The line read last, without its end; valid until the next read.</summary>
    public ReadOnlySequence<byte> Line { get; private set; }

    /// <summary>Its number, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Moves to the next line; false at the end.</summary>
    /// <exception cref="GatewayException">A line is too long.</exception>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (consumed is { } position)
        {
            pipe.AdvanceTo(position);
            consumed = null;
        }
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } newline)
                return Take(buffer.Slice(0, newline), buffer.GetPosition(1, newline));
            if (result.IsCompleted || buffer.Length > Limits.LineBytes)
                return !buffer.IsEmpty && Take(buffer, buffer.End);
            pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public ValueTask DisposeAsync() => pipe.CompleteAsync();

    private bool Take(ReadOnlySequence<byte> line, SequencePosition end)
    {
        Number++;
        if (line.Length > Limits.LineBytes)
            throw InputFault.At(Number, $"longer than {Limits.LineBytes} bytes");
        Line = line;
        consumed = end;
        return true;
    }
}
