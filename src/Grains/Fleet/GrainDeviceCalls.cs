using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Fleet;

/// <summary>Device grains, on the agents of their nodes.</summary>
internal sealed class GrainDeviceCalls(IGrainFactory grains) : IDeviceCalls
{
    public Task<Refusal?> StartShardAsync(ShardAssignment assignment, CancellationToken cancellationToken) =>
        Device(assignment.Lease.Device).StartShard(assignment).WaitAsync(cancellationToken);

    public Task StopShardAsync(LeaseKey lease, CancellationToken cancellationToken) =>
        Device(lease.Device).StopShard(lease).WaitAsync(cancellationToken);

    private IDeviceGrain Device(DeviceId device) => grains.GetGrain<IDeviceGrain>(device.ToString());
}
