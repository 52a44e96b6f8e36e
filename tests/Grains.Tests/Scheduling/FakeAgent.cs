using System.Collections.Concurrent;
using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>An agent with one device, driven by its test: it takes shards and waits to be told what becomes of them.</summary>
internal sealed class FakeAgent(string name)
{
    private readonly Channel<ShardAssignment> arrived = Channel.CreateUnbounded<ShardAssignment>();
    private readonly Channel<LeaseKey> stopped = Channel.CreateUnbounded<LeaseKey>();

    public DeviceId Device { get; } = new(new NodeId(name), "cpu0");
    public Guid Incarnation { get; set; } = Guid.NewGuid();
    public double TokensPerSecond { get; set; }
    public int NoopSlots { get; init; }
    public DeviceKind Kind { get; init; }

    public string Engine { get; init; } = "test";

    /// <summary>Engine it trains with; null: it cannot.</summary>
    public string? TrainEngine { get; init; }

    /// <summary>What it says to a shard before taking it.</summary>
    public Func<ShardAssignment, Refusal?> OnStart { get; set; } = _ => null;

    /// <summary>Leases it holds.</summary>
    public ConcurrentDictionary<LeaseKey, ShardAssignment> Running { get; } = new();
    public ConcurrentQueue<ShardAssignment> Started { get; } = new();

    public Refusal? Start(ShardAssignment assignment)
    {
        if (OnStart(assignment) is { } refusal)
            return refusal;
        Running[assignment.Lease] = assignment;
        Started.Enqueue(assignment);
        arrived.Writer.TryWrite(assignment);
        return null;
    }

    public void Stop(LeaseKey lease)
    {
        Running.TryRemove(lease, out _);
        stopped.Writer.TryWrite(lease);
    }

    /// <summary>The next shard handed to it.</summary>
    public async Task<ShardAssignment> NextAsync() =>
        await arrived.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Rig.Patience);

    /// <summary>The next lease it was told to stop.</summary>
    public async Task<LeaseKey> NextStoppedAsync() =>
        await stopped.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Rig.Patience);

    public Task<HeartbeatReply> HeartbeatAsync(Rig rig, bool leaving = false, DeviceState state = DeviceState.Ready) =>
        rig.Loop.HeartbeatAsync(
            new NodeHeartbeat(
                new NodeFacts(Device.Node, Incarnation, Device.Node.Value, "test", "test", "1", ProcessId: 1),
                [
                    new DeviceStatus(
                        new DeviceFacts(Device, Kind, "cpu", Engine, 1, 8_000_000_000, NoopSlots, TrainEngine),
                        state,
                        Reason: null,
                        WorkerProcessId: 2,
                        TokensPerSecond,
                        MemoryUsedBytes: 0,
                        LoadedModels: [],
                        [.. Running.Keys],
                        ActiveSequences: 0
                    ),
                ],
                leaving
            )
        );

    /// <summary>Reports results for some items of a shard.</summary>
    public Task<ReportReply> ReportAsync(Rig rig, ShardAssignment work, int items, bool finished = false, int skip = 0)
    {
        var outcome = finished ? ShardOutcome.Finished : ShardOutcome.Progress;
        if (finished)
            Running.TryRemove(work.Lease, out _);
        var results = work.Items.Skip(skip).Take(items).Select(item => Result(work, item)).ToList();
        return rig.Loop.ReportAsync(new ShardReport(work.Lease, outcome, results, Failure: null));
    }

    public Task<ReportReply> FinishAsync(Rig rig, ShardAssignment work) =>
        ReportAsync(rig, work, work.Items.Count, finished: true);

    public Task<ReportReply> FailAsync(Rig rig, ShardAssignment work, string code, bool retryable)
    {
        Running.TryRemove(work.Lease, out _);
        var failure = new ShardFailure(code, "It did not work.", retryable);
        return rig.Loop.ReportAsync(new ShardReport(work.Lease, ShardOutcome.Failed, [], failure));
    }

    /// <summary>Works off every shard it is given, in two reports each, until the test ends.</summary>
    public async Task WorkAsync(Rig rig)
    {
        await foreach (var work in arrived.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            var half = work.Items.Count / 2;
            var first = ReportAsync(rig, work, half);
            var second = ReportAsync(rig, work, work.Items.Count - half, finished: true, skip: half);
            await Task.WhenAll(first, second);
        }
    }

    private static ItemResult Result(ShardAssignment work, BatchItem item) =>
        new(
            item.Index,
            item.CustomId,
            $"answer {item.Index}",
            "stop",
            PromptTokens: 3,
            CompletionTokens: 5,
            ErrorCode: null,
            ErrorMessage: null,
            work.Lease.Device,
            WorkerProcessId: 2,
            Attempt: work.Lease.Epoch,
            DurationMilliseconds: 1
        );
}
