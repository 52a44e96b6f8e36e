using System.Diagnostics;
using EgpuFleet.Grains.Fleet;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>Traces of the scheduler: what is done for a job joins the trace of the request that submitted it.</summary>
public static class FleetTracing
{
    public const string SourceName = "EgpuFleet.Scheduler";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>One activity for each shard handed over; null when nobody listens.</summary>
    internal static Activity?[]? StartDispatch(IReadOnlyList<Assignment> work)
    {
        if (!Source.HasListeners())
            return null;
        var activities = new Activity?[work.Count];
        for (var i = 0; i < work.Count; i++)
            activities[i] = StartDispatch(work[i]);
        Activity.Current = null;
        return activities;
    }

    private static Activity? StartDispatch(Assignment work)
    {
        // Outside of any request: what is current here belongs to whoever woke the loop, not to this job.
        Activity.Current = null;
        var activity = ActivityContext.TryParse(
            work.Spec?.TraceParent,
            traceState: null,
            isRemote: true,
            out var parent
        )
            ? Source.StartActivity("shard dispatch", ActivityKind.Producer, parent)
            : Source.StartActivity("shard dispatch", ActivityKind.Producer);
        activity?.SetTag("egpufleet.job", work.Lease.Shard.Job.ToString());
        activity?.SetTag("egpufleet.shard", work.Lease.Shard.Number);
        activity?.SetTag("egpufleet.epoch", work.Lease.Epoch);
        activity?.SetTag("egpufleet.device", work.Lease.Device.ToString());
        activity?.SetTag("egpufleet.items", work.ItemCount);
        return activity;
    }
}
