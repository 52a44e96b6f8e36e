using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Ports;

/// <summary>What the scheduler says to devices: their grains in production, anything else in tests and simulation.</summary>
public interface IDeviceCalls
{
    /// <summary>Hands shards over, all of them leased to one device.</summary>
    /// <inheritdoc cref="IDeviceGrain.StartShards"/>
    Task<Refusal?[]> StartShardsAsync(
        DeviceId device,
        ShardAssignment[] assignments,
        CancellationToken cancellationToken
    );

    /// <summary>Stops shards, all of them leased to one device.</summary>
    /// <inheritdoc cref="IDeviceGrain.StopShards"/>
    Task StopShardsAsync(DeviceId device, LeaseKey[] leases, CancellationToken cancellationToken);
}
