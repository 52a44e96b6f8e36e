using System.Buffers;
using System.IO.Pipelines;

namespace EgpuFleet.Kernels.Formats.Lines;

/// <summary>The lines of a stream, one in memory at a time; one that is too long is passed over.</summary>
/// <param name="stream">Stays the caller's.</param>
/// <param name="lineBytes">The longest line that is held.</param>
public sealed class LineReader(Stream stream, int lineBytes) : IAsyncDisposable
{
    private const int BufferBytes = 64 << 10;

    private readonly PipeReader pipe = PipeReader.Create(
        stream,
        new StreamPipeReaderOptions(bufferSize: BufferBytes, minimumReadSize: BufferBytes / 2, leaveOpen: true)
    );

    private SequencePosition? consumed;

    /// <summary>The line read last, without its end; valid until the next read; empty when it was too long.</summary>
    public ReadOnlySequence<byte> Line { get; private set; }

    /// <summary>Whether the line read last has more bytes than may be held.</summary>
    public bool IsTooLong { get; private set; }

    /// <summary>Its number, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Moves to the next line; false at the end.</summary>
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (consumed is { } position)
        {
            pipe.AdvanceTo(position);
            consumed = null;
        }
        IsTooLong = false;
        while (true)
        {
            var result = await pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } newline)
                return Take(buffer.Slice(0, newline), buffer.GetPosition(1, newline));
            if (result.IsCompleted)
                return (IsTooLong || !buffer.IsEmpty) && Take(buffer, buffer.End);
            if (IsTooLong || buffer.Length > lineBytes)
            {
                IsTooLong = true;
                pipe.AdvanceTo(buffer.End);
            }
            else
            {
                pipe.AdvanceTo(buffer.Start, buffer.End);
            }
        }
    }

    public ValueTask DisposeAsync() => pipe.CompleteAsync();

    private bool Take(ReadOnlySequence<byte> line, SequencePosition end)
    {
        Number++;
        IsTooLong |= line.Length > lineBytes;
        Line = IsTooLong ? default : line;
        consumed = end;
        return true;
    }
}
