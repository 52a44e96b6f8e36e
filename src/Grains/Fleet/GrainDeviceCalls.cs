using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Fleet;

/// <summary>Device grains, on the agents of their nodes.</summary>
internal sealed class GrainDeviceCalls(IGrainFactory grains) : IDeviceCalls
{
    public Task<Refusal?[]> StartShardsAsync(
        DeviceId device,
        ShardAssignment[] assignments,
        CancellationToken cancellationToken
    ) => Device(device).StartShards(assignments).WaitAsync(cancellationToken);

    public Task StopShardsAsync(DeviceId device, LeaseKey[] leases, CancellationToken cancellationToken) =>
        Device(device).StopShards(leases).WaitAsync(cancellationToken);

    private IDeviceGrain Device(DeviceId device) => grains.GetGrain<IDeviceGrain>(device.ToString());
}
