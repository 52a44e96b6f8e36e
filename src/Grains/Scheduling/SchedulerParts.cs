using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What a scheduler stands on; shared by all its turns.</summary>
internal sealed record SchedulerParts(
    ILedger Ledger,
    IModelCatalog Models,
    Dispatcher Dispatcher,
    WorkReader Work,
    SchedulingOptions Options,
    EventSignals Signals,
    FleetMetrics Metrics,
    TimeProvider Time,
    ILogger Logger
)
{
    private readonly long startedAt = Time.GetTimestamp();

    /// <summary>Elapsed time of this scheduler, the same over its turns.</summary>
    public TimeSpan Now => Time.GetElapsedTime(startedAt);
}
