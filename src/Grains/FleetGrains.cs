using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Models;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EgpuFleet.Grains;

/// <summary>What a control silo needs to host the control plane.</summary>
public static class FleetGrains
{
    /// <summary>
    /// Registers the scheduler and what it stands on. The silo adds an <see cref="ILedger"/> and a grain storage named
    /// <see cref="FleetStorage.Name"/>; it may add its own <see cref="SchedulingOptions"/> or <see cref="TimeProvider"/> before.
    /// </summary>
    public static ISiloBuilder AddFleetGrains(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new SchedulingOptions());
        services.TryAddSingleton<IModelCatalog, GrainModelCatalog>();
        services.TryAddSingleton<IDeviceCalls, GrainDeviceCalls>();
        services.AddMetrics();
        services.TryAddSingleton<FleetMetrics>();
        services.AddSingleton<PoolsHere>();
        services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, PoolKeeper>();
        return silo;
    }
}
