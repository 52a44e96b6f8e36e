using System.Buffers;
using System.Text;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Noops;

/// <summary>
/// The agent's side of noops on one connection. What is asked for while a frame is on its way goes together in the next one;
/// answers come in as many as were ready. When the connection ends, nothing more is answered: its
/// <see cref="Protocol.WorkerClient.Closed"/> tells.
/// </summary>
public sealed class NoopChannel
{
    private readonly Func<ReadOnlyMemory<byte>, Task> send;
    private readonly Lock gate = new();
    private readonly Queue<ArrayBufferWriter<byte>> full = new();
    private ArrayBufferWriter<byte> filling = new();
    private ArrayBufferWriter<byte>? spare;
    private bool sending;

    internal NoopChannel(Func<ReadOnlyMemory<byte>, Task> send) => this.send = send;

    /// <summary>Called on the connection's reader, so it must not wait. Set before the first noop is sent.</summary>
    public Action<IReadOnlyList<NoopAnswer>>? Answered { get; set; }

    /// <summary>Whether a frame can hold the payload.</summary>
    public static bool Fits(string payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        const int MostBytesOfACharacter = 3;
        return payload.Length <= Limits.NoopPayloadBytes / MostBytesOfACharacter
            || Encoding.UTF8.GetByteCount(payload) <= Limits.NoopPayloadBytes;
    }

    /// <summary>Hands noops over and returns at once; those of one call travel together.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.InvalidRequest"/>: a payload does not fit; nothing is sent.</exception>
    public void Send(IReadOnlyList<NoopWork> noops)
    {
        ArgumentNullException.ThrowIfNull(noops);
        foreach (var noop in noops)
        {
            if (!Fits(noop.Payload))
                throw TooLong(noop.Payload);
        }
        lock (gate)
        {
            foreach (var noop in noops)
            {
                CloseFrame();
                NoopCodec.Write(filling, noop);
            }
            StartSending();
        }
    }

    /// <summary>Gives lanes up; their answers may still come if they are on their way.</summary>
    public void Cancel(IReadOnlyList<long> lanes)
    {
        ArgumentNullException.ThrowIfNull(lanes);
        lock (gate)
        {
            foreach (var lane in lanes)
            {
                CloseFrame();
                NoopCodec.WriteCancel(filling, lane);
            }
            StartSending();
        }
    }

    internal void Receive(ReadOnlySpan<byte> body) => Answered?.Invoke(NoopCodec.ReadAnswers(body));

    /// <summary>A frame is full with what it holds, or would burst with a payload beside it.</summary>
    private void CloseFrame()
    {
        if (filling.WrittenCount < Limits.NoopFrameBytes)
            return;
        full.Enqueue(filling);
        filling = new ArrayBufferWriter<byte>();
    }

    private void StartSending()
    {
        if (sending || filling.WrittenCount == 0)
            return;
        sending = true;
        _ = Task.Run(SendAllAsync);
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (TryTake() is { } frame)
            {
                await send(frame.WrittenMemory);
                frame.ResetWrittenCount();
                if (frame.Capacity > 2 * Limits.NoopFrameBytes)
                    continue;
                lock (gate)
                    spare = frame;
            }
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.WorkerLost)
        {
            // Closed tells; nothing is sent any more.
        }
    }

    private ArrayBufferWriter<byte>? TryTake()
    {
        lock (gate)
        {
            if (full.TryDequeue(out var frame))
                return frame;
            if (filling.WrittenCount == 0)
            {
                sending = false;
                return null;
            }
            frame = filling;
            filling = spare ?? new ArrayBufferWriter<byte>();
            spare = null;
            return frame;
        }
    }

    private static EngineException TooLong(string payload)
    {
        var bytes = Encoding.UTF8.GetByteCount(payload);
        return new EngineException(
            EngineErrorClass.InvalidRequest,
            $"A payload of {bytes} bytes is longer than {Limits.NoopPayloadBytes}.",
            bytes,
            Limits.NoopPayloadBytes
        );
    }
}
