using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Noops;

/// <summary>
/// The worker's side of noops, one per connection. One pump runs whatever is due and writes all answers that are ready in
/// one frame; while a frame is on its way, the next answers gather. Waiting noops cost a timer each, no thread.
/// </summary>
internal sealed class NoopLanes(bool obeyFaults, TimeProvider time, Func<ReadOnlyMemory<byte>, Task> send)
{
    private readonly Lock gate = new();
    private readonly Dictionary<long, Lane> lanes = [];
    private readonly Queue<Lane> due = new();
    private readonly ArrayBufferWriter<byte> answers = new();
    private long queuedBytes;
    private bool pumping;
    private bool ended;
    private Task pump = Task.CompletedTask;

    /// <summary>Takes the commands of one frame and returns at once.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.ProtocolViolation"/>: not such a frame, or more than the limits.</exception>
    public void Receive(ReadOnlyMemory<byte> body)
    {
        var commands = NoopCodec.ReadCommands(body);
        lock (gate)
        {
            foreach (var command in commands)
            {
                if (command.Cancel)
                    End(command.Lane);
                else
                    Add(command);
            }
            StartPump();
        }
    }

    /// <summary>Forgets every lane. Returns when nothing of it runs any more.</summary>
    public async Task EndAsync()
    {
        Task last;
        lock (gate)
        {
            ended = true;
            foreach (var lane in lanes.Keys.ToArray())
                End(lane);
            last = pump;
        }
        await last;
    }

    private void Add(in NoopCommand command)
    {
        queuedBytes += command.Payload.Length;
        if (queuedBytes > Limits.NoopQueuedBytes)
            throw Excess("bytes of payload", queuedBytes, Limits.NoopQueuedBytes);
        if (lanes.TryGetValue(command.Lane, out var lane))
        {
            lane.Noops.Enqueue(command);
            return;
        }
        if (lanes.Count >= Limits.NoopLanes)
            throw Excess("lanes", lanes.Count + 1, Limits.NoopLanes);
        lane = new Lane();
        lanes.Add(command.Lane, lane);
        lane.Noops.Enqueue(command);
        Begin(lane);
    }

    private void End(long id)
    {
        if (!lanes.Remove(id, out var lane))
            return;
        lane.Ended = true;
        lane.Timer?.Dispose();
        foreach (var noop in lane.Noops)
            queuedBytes -= noop.Payload.Length;
        lane.Noops.Clear();
    }

    /// <summary>The lane's first noop starts: its time runs, or it is due now.</summary>
    private void Begin(Lane lane)
    {
        lane.StartedAt = time.GetUtcNow();
        lane.Started = time.GetTimestamp();
        var noop = lane.Noops.Peek();
        var hangs = obeyFaults && noop.Fault == NoopFault.Hang;
        if (hangs)
            return;
        if (noop.DurationMilliseconds == 0)
            due.Enqueue(lane);
        else
            Delay(lane, TimeSpan.FromMilliseconds(noop.DurationMilliseconds));
    }

    private void Delay(Lane lane, TimeSpan duration)
    {
        lane.Timer ??= time.CreateTimer(_ => Elapsed(lane), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lane.Timer.Change(duration, Timeout.InfiniteTimeSpan);
    }

    private void Elapsed(Lane lane)
    {
        lock (gate)
        {
            if (lane.Ended)
                return;
            due.Enqueue(lane);
            StartPump();
        }
    }

    private void StartPump()
    {
        if (pumping || ended || due.Count == 0)
            return;
        pumping = true;
        pump = Task.Run(PumpAsync);
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            answers.ResetWrittenCount();
            while (answers.WrittenCount < Limits.NoopFrameBytes && TryTake(out var lane, out var noop))
                RunOne(lane, noop);
            if (answers.WrittenCount == 0 && TryRest())
                return;
            try
            {
                await send(answers.WrittenMemory);
            }
            catch (IOException)
            {
                // The client is gone; the reader sees it and ends the lanes.
                return;
            }
        }
    }

    private bool TryTake([NotNullWhen(true)] out Lane? lane, out NoopCommand noop)
    {
        lock (gate)
        {
            while (due.TryDequeue(out lane))
            {
                if (lane.Ended)
                    continue;
                noop = lane.Noops.Dequeue();
                queuedBytes -= noop.Payload.Length;
                return true;
            }
        }
        noop = default;
        return false;
    }

    private bool TryRest()
    {
        lock (gate)
            return !(pumping = due.Count > 0);
    }

    /// <summary>Outside the lock: a long payload must not hold up the reader.</summary>
    private void RunOne(Lane lane, in NoopCommand noop)
    {
        var milliseconds = (int)Math.Min(time.GetElapsedTime(lane.Started).TotalMilliseconds, int.MaxValue);
        var failed = noop.Fault != NoopFault.None;
        if (failed)
        {
            var (errorClass, text) = FaultOf(noop.Fault);
            NoopCodec.WriteError(answers, noop, lane.StartedAt, milliseconds, errorClass, text);
        }
        else
        {
            NoopCodec.WriteDigest(answers, noop, lane.StartedAt, milliseconds);
        }
        lock (gate)
        {
            if (failed || lane.Noops.Count == 0)
                End(noop.Lane);
            else
                Begin(lane);
        }
    }

    private (EngineErrorClass Class, string Text) FaultOf(NoopFault fault)
    {
        if (!obeyFaults)
        {
            return (
                EngineErrorClass.NoopFaultsDisabled,
                "This worker obeys no faults: they are for rehearsals and switched on by the environment of its agent."
            );
        }
        if (fault == NoopFault.Crash)
        {
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }
        return fault == NoopFault.FailRetryable
            ? (EngineErrorClass.NoopInterrupted, "The noop was told to fail, retryably.")
            : (EngineErrorClass.NoopFailed, "The noop was told to fail.");
    }

    private static EngineException Excess(string what, long actual, long limit) =>
        new(EngineErrorClass.ProtocolViolation, $"{actual} {what} of noops at once; {limit} at most.", actual, limit);

    private sealed class Lane
    {
        public Queue<NoopCommand> Noops { get; } = new();

        /// <summary>Only where a noop takes time: most take none, and a timer each would be most of their cost.</summary>
        public ITimer? Timer { get; set; }

        /// <summary>When its first noop started, by the wall clock.</summary>
        public DateTimeOffset StartedAt { get; set; }

        public long Started { get; set; }

        public bool Ended { get; set; }
    }
}
