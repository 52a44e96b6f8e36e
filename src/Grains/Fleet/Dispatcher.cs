using System.Diagnostics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Grains.Fleet;

/// <summary>The rim between the scheduler and devices: hands leased shards over and stops them, many in a call.</summary>
internal sealed partial class Dispatcher(
    IDeviceCalls devices,
    SchedulingOptions options,
    TimeProvider time,
    ILogger<Dispatcher> logger
)
{
    private readonly ResiliencePipeline pipeline = new ResiliencePipelineBuilder { TimeProvider = time }
        .AddTimeout(options.DispatchTimeout)
        // A silo that has just joined may place before it knows what others host; see design note on NodeOffline at start.
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<NodeOfflineException>(),
                MaxRetryAttempts = 3,
                Delay = TimeSpan.FromMilliseconds(200),
                BackoffType = DelayBackoffType.Exponential,
            }
        )
        .Build();

    /// <summary>Gives shards, all of them leased to one device, to it. Every failure of the device's side is an outcome.</summary>
    /// <param name="work">With specs and items, few enough for one message.</param>
    public async Task<IReadOnlyList<HandOver>> HandOverAsync(
        DeviceId device,
        IReadOnlyList<Assignment> work,
        CancellationToken cancellationToken
    )
    {
        var traces = FleetTracing.StartDispatch(work);
        var outcomes = new List<HandOver>(work.Count);
        var assignments = new List<ShardAssignment>(work.Count);
        for (var i = 0; i < work.Count; i++)
        {
            if (work[i].Items is { Count: > 0 })
                assignments.Add(AssignmentOf(work[i], traces?[i]));
            else
                outcomes.Add(new HandOver.NothingLeft(work[i].Lease));
        }
        try
        {
            if (assignments.Count > 0)
                outcomes.AddRange(await StartAsync(device, [.. assignments], cancellationToken));
        }
        // Whatever the other machine throws is an outcome here, logged and planned around.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            foreach (var trace in traces ?? [])
                trace?.SetStatus(ActivityStatusCode.Error, exception.Message);
            LogUnreachable(logger, exception, device, assignments.Count);
            foreach (var assignment in assignments)
                outcomes.Add(new HandOver.Unreachable(assignment.Lease, exception.Message));
        }
        finally
        {
            foreach (var trace in traces ?? [])
                trace?.Dispose();
        }
        return outcomes;
    }

    /// <summary>Tells a device to stop shards; a device that cannot be told learns it from its next heartbeat.</summary>
    public async Task StopAsync(DeviceId device, LeaseKey[] leases, CancellationToken cancellationToken)
    {
        try
        {
            await pipeline.ExecuteHereAsync(
                async token => await devices.StopShardsAsync(device, leases, token),
                cancellationToken
            );
        }
        // Whatever the other machine throws is an outcome here, logged and planned around.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotStopped(logger, exception, device, leases.Length);
        }
    }

    private async Task<IEnumerable<HandOver>> StartAsync(
        DeviceId device,
        ShardAssignment[] assignments,
        CancellationToken cancellationToken
    )
    {
        var refusals = await pipeline.ExecuteHereAsync(
            async token => await devices.StartShardsAsync(device, assignments, token),
            cancellationToken
        );
        if (refusals.Length != assignments.Length)
            throw new InvalidOperationException($"{refusals.Length} answers for {assignments.Length} shards.");
        return assignments.Select(
            (assignment, i) =>
                refusals[i] is { } refusal
                    ? new HandOver.Refused(assignment.Lease, refusal)
                    : (HandOver)new HandOver.Accepted(assignment.Lease)
        );
    }

    private ShardAssignment AssignmentOf(Assignment work, Activity? trace)
    {
        var spec = work.Spec ?? throw new InvalidOperationException($"{work.Lease}: to hand over, but never read.");
        return new ShardAssignment(
            work.Lease,
            options.LeaseDuration,
            work.Model,
            spec.Generation,
            work.Items!,
            trace?.Id ?? spec.TraceParent,
            spec.Kind,
            spec.Noop,
            spec.Tune,
            spec.Train
        );
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Shards} shards could not be handed to {Device}.")]
    private static partial void LogUnreachable(ILogger logger, Exception exception, DeviceId device, int shards);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Shards} shards on {Device} could not be stopped; it learns it from its heartbeat."
    )]
    private static partial void LogNotStopped(ILogger logger, Exception exception, DeviceId device, int shards);
}
