using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Scheduling;

namespace EgpuFleet.Silo.Gateway;

/// <summary>The grains that the gateway talks to, by their one key.</summary>
public sealed class Fleet(IGrainFactory grains, PoolsHere here)
{
    public IPoolGrain Pool => grains.GetGrain<IPoolGrain>(PoolId.Default.Value);

    /// <inheritdoc cref="IPoolGrain.Submit"/>
    public Task<SubmitReply> SubmitAsync(SubmitRequest request, CancellationToken cancellationToken) =>
        here.Find(PoolId.Default) is { } leader ? leader.SubmitAsync(request, cancellationToken) : Pool.Submit(request);

    /// <inheritdoc cref="IPoolGrain.SubmitMany"/>
    public Task<SubmitReply[]> SubmitAsync(SubmitRequest[] requests, CancellationToken cancellationToken) =>
        here.Find(PoolId.Default) is { } leader
            ? leader.SubmitAsync(requests, cancellationToken)
            : Pool.SubmitMany(requests);

    public IModelRegistryGrain Models => grains.GetGrain<IModelRegistryGrain>(IModelRegistryGrain.Key);

    public INodeDirectoryGrain Nodes => grains.GetGrain<INodeDirectoryGrain>(INodeDirectoryGrain.Key);

    public INodeGrain Node(NodeId node) => grains.GetGrain<INodeGrain>(node.Value);

    public IDeviceGrain Device(DeviceId device) => grains.GetGrain<IDeviceGrain>(device.ToString());
}
