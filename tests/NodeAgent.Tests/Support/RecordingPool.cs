using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using Orleans;
using Orleans.Concurrency;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>What the agents of a test have told the pool.</summary>
public sealed class PoolRecord
{
    internal Channel<NodeHeartbeat> Heartbeats { get; } = Channel.CreateUnbounded<NodeHeartbeat>();

    internal Channel<ShardReport> Reports { get; } = Channel.CreateUnbounded<ShardReport>();
}

/// <summary>A pool that renews every lease it hears of and accepts every report.</summary>
[Reentrant]
public sealed class RecordingPool(PoolRecord record) : Grain, IPoolGrain
{
    public Task<ReportReply[]> Report(ShardReport[] reports)
    {
        foreach (var report in reports)
            record.Reports.Writer.TryWrite(report);
        return Task.FromResult(Array.ConvertAll(reports, _ => ReportReply.Accepted));
    }

    public Task<HeartbeatReply> Heartbeat(NodeHeartbeat heartbeat)
    {
        record.Heartbeats.Writer.TryWrite(heartbeat);
        var leases = heartbeat.Devices.SelectMany(device => device.RunningShards).ToList();
        return Task.FromResult(new HeartbeatReply(leases, [], TimeSpan.FromSeconds(10)));
    }

    public Task EnsureLeading() => Task.CompletedTask;

    public Task<SubmitReply> Submit(SubmitRequest request) => throw Unused();

    public Task<SubmitReply[]> SubmitMany(SubmitRequest[] requests) => throw Unused();

    public Task<SteerReply> Steer(JobId job, JobSteering steering) => throw Unused();

    public Task<JobRecord?> Cancel(JobId job) => throw Unused();

    public Task<IReadOnlyList<NodeView>> GetFleet() => throw Unused();

    public Task<IReadOnlyDictionary<JobId, Refusal>> ExplainWaiting(IReadOnlyList<JobId> jobs) => throw Unused();

    public Task<RouteReply> Route(RouteRequest request) => throw Unused();

    public Task WaitForEvents(JobId job, long afterSequence, CancellationToken cancellationToken = default) =>
        throw Unused();

    private static NotSupportedException Unused() => new("No agent calls this.");
}
