using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What a scheduler stands on; shared by all its turns.</summary>
internal sealed record SchedulerParts(
    ILedger Ledger,
    IModelCatalog Models,
    Dispatcher Dispatcher,
    SchedulingOptions Options,
    EventSignals Signals,
    FleetMetrics Metrics,
    TimeProvider Time,
    ILogger Logger
);
