using System.Diagnostics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace EgpuFleet.Grains.Fleet;

/// <summary>A committed lease to hand over, with what its device needs to know.</summary>
internal sealed record Assignment(LeaseKey Lease, int FirstItem, int ItemCount, JobSpec Job, ModelRecord? Model);

/// <summary>The rim between the scheduler and devices: hands leased shards over and stops them.</summary>
internal sealed partial class Dispatcher(
    ILedger ledger,
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

    /// <summary>Reads the items still open and gives them to the device. Every failure of the device's side is an outcome.</summary>
    /// <exception cref="LedgerUnavailableException">The items could not be read.</exception>
    public async Task<HandOver> HandOverAsync(Assignment work, CancellationToken cancellationToken)
    {
        var lease = work.Lease;
        using var activity = FleetTracing.StartDispatch(work);
        var items = await ledger.ReadItemsAsync(
            lease.Shard.Job,
            work.FirstItem,
            work.ItemCount,
            options.MaxShardBytes,
            cancellationToken
        );
        if (items.Count == 0)
            return new HandOver.NothingLeft(lease);
        var assignment = new ShardAssignment(
            lease,
            options.LeaseDuration,
            work.Model,
            work.Job.Generation,
            items,
            activity?.Id ?? work.Job.TraceParent,
            work.Job.Kind,
            work.Job.Noop
        );
        try
        {
            var refusals = await pipeline.ExecuteHereAsync(
                async token => await devices.StartShardsAsync(lease.Device, [assignment], token),
                cancellationToken
            );
            return refusals[0] is not { } refusal ? new HandOver.Accepted(lease) : new HandOver.Refused(lease, refusal);
        }
        // Whatever the other machine throws is an outcome here, logged and planned around.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            LogUnreachable(logger, exception, lease);
            return new HandOver.Unreachable(lease, exception.Message);
        }
    }

    /// <summary>Tells a device to stop a shard; a device that cannot be told learns it from its next heartbeat.</summary>
    public async Task StopAsync(LeaseKey lease, CancellationToken cancellationToken)
    {
        try
        {
            await pipeline.ExecuteHereAsync(
                async token => await devices.StopShardsAsync(lease.Device, [lease], token),
                cancellationToken
            );
        }
        // Whatever the other machine throws is an outcome here, logged and planned around.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotStopped(logger, exception, lease);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Lease} could not be handed over.")]
    private static partial void LogUnreachable(ILogger logger, Exception exception, LeaseKey lease);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shard {Lease} could not be stopped; its device learns it from its heartbeat."
    )]
    private static partial void LogNotStopped(ILogger logger, Exception exception, LeaseKey lease);
}
