using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// The address of a pool's scheduler: starts the loop with the activation and stops it with it. Calls may interleave,
/// since they only hand inputs to the loop, which owns all state.
/// </summary>
[Reentrant, KeepAlive, GrainType("pool")]
public sealed partial class PoolGrain(
    ILedger ledger,
    IModelCatalog models,
    IDeviceCalls devices,
    SchedulingOptions options,
    FleetMetrics metrics,
    PoolsHere here,
    TimeProvider time,
    IClusterMembershipService membership,
    ILocalSiloDetails silo,
    ILoggerFactory loggers
) : Grain, IPoolGrain, IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private SchedulerLoop loop = null!;
    private Task running = Task.CompletedTask;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        var pool = new PoolId(this.GetPrimaryKeyString());
        var holder = $"{silo.SiloAddress.ToParsableString()} {GrainContext.ActivationId}";
        loop = new SchedulerLoop(pool, holder, ledger, models, devices, options, metrics, time, loggers);
        here.Add(pool, loop);
        // Off the grain's turns: the loop must not wait for them, nor they for it.
        var leading = Task.Run(() => loop.RunAsync(stop.Token), CancellationToken.None);
        var watching = Task.Run(
            () => MembershipWatch.RunAsync(membership, loop.NodeDied, stop.Token),
            CancellationToken.None
        );
        running = EndWithAsync(leading, watching);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        here.Remove(new PoolId(this.GetPrimaryKeyString()), loop);
        await stop.CancelAsync();
        await running
            .WaitAsync(cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    public Task EnsureLeading() => Task.CompletedTask;

    public Task<SubmitReply> Submit(SubmitRequest request) => loop.SubmitAsync(request, stop.Token);

    public Task<SubmitReply[]> SubmitMany(SubmitRequest[] requests) => loop.SubmitAsync(requests, stop.Token);

    public Task<JobRecord?> Cancel(JobId job) => loop.CancelAsync(job, stop.Token);

    public Task<SteerReply> Steer(JobId job, JobSteering steering) => loop.SteerAsync(job, steering, stop.Token);

    public Task<ReportReply[]> Report(ShardReport[] reports) => loop.ReportAsync(reports);

    public Task<HeartbeatReply> Heartbeat(NodeHeartbeat heartbeat) => loop.HeartbeatAsync(heartbeat);

    public Task<IReadOnlyList<NodeView>> GetFleet() => loop.GetFleetAsync();

    public Task<IReadOnlyDictionary<JobId, Refusal>> ExplainWaiting(IReadOnlyList<JobId> jobs) =>
        loop.ExplainWaitingAsync(jobs);

    public Task<RouteReply> Route(RouteRequest request) => loop.RouteAsync(request);

    public Task WaitForEvents(JobId job, long afterSequence, CancellationToken cancellationToken = default) =>
        loop.WaitForEventsAsync(job, afterSequence, cancellationToken);

    public void Dispose() => stop.Dispose();

    /// <summary>A broken invariant in the loop ends the activation; the next call starts a fresh one.</summary>
    private async Task EndWithAsync(Task leading, Task watching)
    {
        try
        {
            await await Task.WhenAny(leading, watching);
        }
        catch (Exception exception) when (!stop.IsCancellationRequested)
        {
            LogBroken(loggers.CreateLogger<PoolGrain>(), exception, this.GetPrimaryKeyString());
            DeactivateOnIdle();
        }
        await Task.WhenAll(leading, watching)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The scheduler of pool {Pool} broke an invariant and starts again."
    )]
    private static partial void LogBroken(ILogger logger, Exception exception, string pool);
}
