using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Ports;

/// <summary>What the scheduler says to devices: their grains in production, anything else in tests and simulation.</summary>
public interface IDeviceCalls
{
    /// <inheritdoc cref="IDeviceGrain.StartShard"/>
    Task<Refusal?> StartShardAsync(ShardAssignment assignment, CancellationToken cancellationToken);

    /// <inheritdoc cref="IDeviceGrain.StopShard"/>
    Task StopShardAsync(LeaseKey lease, CancellationToken cancellationToken);
}
