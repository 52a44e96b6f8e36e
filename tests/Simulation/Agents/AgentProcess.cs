using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>One run of a machine's agent: says every few seconds that it is there, and works off what it is given.</summary>
internal sealed class AgentProcess
{
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan HeartbeatSpacing = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan HeartbeatPatience = TimeSpan.FromSeconds(2.5);

    private readonly NodeFacts facts;
    private readonly IReadOnlyList<DeviceFacts> devices;
    private readonly PoolDirectory pool;
    private readonly Func<AgentMood> mood;
    private readonly ShardBench bench;
    private readonly ITimer beat;
    private readonly Trace trace;
    private TimeSpan nextBeat;
    private TimeSpan lastBeat = TimeSpan.MinValue;

    public AgentProcess(
        Place place,
        Dice dice,
        IReadOnlyList<DeviceFacts> devices,
        LeaseClock clock,
        Func<AgentMood> mood,
        PoolDirectory pool,
        ClientLog log,
        Trace trace
    )
    {
        Place = place;
        Clock = clock;
        this.trace = trace;
        this.devices = devices;
        this.mood = mood;
        this.pool = pool;
        var node = new NodeId(place.Host);
        var incarnation = dice.NextId(place.Clock.GetUtcNow());
        facts = new NodeFacts(node, incarnation, place.Host, "simulated", "none", "1", ProcessId: 1);
        var worker = new ShardWorker(place, dice.Fork(), mood, new Outbox(place, pool), log, trace);
        bench = new ShardBench(node, place, clock, dice.Fork(), mood, worker, Changed);
        beat = place.Clock.CreateTimer(_ => place.Go(BeatAsync), null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public Place Place { get; }
    public LeaseClock Clock { get; }

    public Refusal?[] Start(ShardAssignment[] assignments) => [.. assignments.Select(bench.Start)];

    public void Stop(LeaseKey[] leases)
    {
        foreach (var lease in leases)
            bench.Stop(lease);
    }

    /// <summary>Says goodbye, and stops its work whether that is heard or not.</summary>
    public async Task LeaveAsync()
    {
        bench.EndAll("the agent is shutting down");
        await SendAsync(isLeaving: true);
        Place.Kill();
    }

    private void Changed()
    {
        var soon = lastBeat == TimeSpan.MinValue ? TimeSpan.Zero : lastBeat + HeartbeatSpacing;
        if (soon < nextBeat)
            BeatAt(soon);
    }

    private async Task BeatAsync()
    {
        lastBeat = Clock.Now;
        BeatAt(lastBeat + HeartbeatEvery);
        if (!mood().WaitsForDeadline)
            await SendAsync(isLeaving: false);
    }

    private void BeatAt(TimeSpan moment)
    {
        nextBeat = moment;
        var delay = moment - Clock.Now;
        beat.Change(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private async Task SendAsync(bool isLeaving)
    {
        var sentAt = Clock.Now;
        var heartbeat = new NodeHeartbeat(facts, [.. devices.Select(Status)], isLeaving);
        try
        {
            var reply = await pool.CallAsync(Place, HeartbeatPatience, silo => silo.HeartbeatAsync(heartbeat));
            foreach (var device in heartbeat.Devices)
                bench.Renew(device.RunningShards, reply.Renewed, sentAt, reply.LeaseDuration);
        }
        // Nothing is renewed by it; the next one tries again, and the deadlines rule.
        catch (Exception why)
        {
            trace.Note(Place.Host, $"heartbeat: {why.GetType().Name}");
        }
    }

    private DeviceStatus Status(DeviceFacts device) =>
        new(
            device,
            mood().IsUnready ? DeviceState.Failed : DeviceState.Ready,
            Reason: null,
            WorkerProcessId: 2,
            TokensPerSecond: 10 / mood().Slowness,
            MemoryUsedBytes: 0,
            LoadedModels: [],
            bench.Running(device.Device),
            ActiveSequences: 0
        );
}
