using System.Diagnostics.Metrics;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the scheduler of this process measures; the gauges are zero in a silo that does not lead.</summary>
public sealed class FleetMetrics
{
    public const string MeterName = "EgpuFleet.Scheduler";

    private readonly Histogram<double> waits;
    private readonly Counter<long> results;
    private readonly Counter<long> fenced;
    private readonly Counter<long> requeues;
    private volatile Gauges gauges = Gauges.None;

    public FleetMetrics(IMeterFactory meters)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create(MeterName);
        waits = meter.CreateHistogram<double>(
            "egpufleet_job_wait_seconds",
            description: "From submit to the first shard, by priority."
        );
        results = meter.CreateCounter<long>("egpufleet_results_total", description: "Items that got their result.");
        fenced = meter.CreateCounter<long>(
            "egpufleet_fenced_reports_total",
            description: "Reports refused as too late."
        );
        requeues = meter.CreateCounter<long>("egpufleet_requeued_shards_total", description: "Leases taken back.");
        meter.CreateObservableGauge("egpufleet_jobs", () => gauges.Jobs, description: "Active jobs by state.");
        meter.CreateObservableGauge("egpufleet_shards_running", () => gauges.ShardsRunning);
        meter.CreateObservableGauge(
            "egpufleet_fence_epoch",
            () => gauges.Epoch,
            description: "Epoch of the leader here."
        );
    }

    internal void JobStarted(int priority, TimeSpan wait)
    {
        if (waits.Enabled)
            waits.Record(wait.TotalSeconds, new KeyValuePair<string, object?>("priority", priority));
    }

    internal void ResultsRecorded(int count) => results.Add(count);

    internal void ReportFenced() => fenced.Add(1);

    internal void ShardRequeued() => requeues.Add(1);

    internal void StopLeading() => gauges = Gauges.None;

    internal void Observe(PoolMemory memory, long epoch)
    {
        var jobs = new List<Measurement<int>>();
        foreach (var state in Enum.GetValues<JobState>())
        {
            var count = memory.Counts[state];
            if (count > 0)
                jobs.Add(new Measurement<int>(count, new KeyValuePair<string, object?>("state", state.ToString())));
        }
        gauges = new Gauges(jobs, memory.Leases.Count, epoch);
    }

    private sealed record Gauges(IReadOnlyList<Measurement<int>> Jobs, int ShardsRunning, long Epoch)
    {
        public static readonly Gauges None = new([], 0, 0);
    }
}
