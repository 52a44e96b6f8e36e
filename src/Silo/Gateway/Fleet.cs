using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Gateway;

/// <summary>The grains that the gateway talks to, by their one key.</summary>
public sealed class Fleet(IGrainFactory grains)
{
    public IPoolGrain Pool => grains.GetGrain<IPoolGrain>(PoolId.Default.Value);

    public IModelRegistryGrain Models => grains.GetGrain<IModelRegistryGrain>(IModelRegistryGrain.Key);

    public INodeDirectoryGrain Nodes => grains.GetGrain<INodeDirectoryGrain>(INodeDirectoryGrain.Key);

    public IDeviceGrain Device(DeviceId device) => grains.GetGrain<IDeviceGrain>(device.ToString());
}
