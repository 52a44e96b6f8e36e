using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Scheduling;
using Orleans.Runtime;

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

    /// <summary>
    /// Steers a job. A fine-tuning that is paused makes its state durable before its lease is taken back, where its device
    /// answers: a pause costs it no step.
    /// </summary>
    public async Task<SteerReply> SteerAsync(JobId job, JobSteering steering, CancellationToken cancellationToken)
    {
        if (steering == JobSteering.Pause)
            await SettleAsync(job, cancellationToken);
        return await Pool.Steer(job, steering).WaitAsync(Limits.SubmitWait, cancellationToken);
    }

    public IDeviceGrain Device(DeviceId device) => grains.GetGrain<IDeviceGrain>(device.ToString());

    private async Task SettleAsync(JobId job, CancellationToken cancellationToken)
    {
        var nodes = await Pool.GetFleet().WaitAsync(Limits.SubmitWait, cancellationToken);
        var leases = nodes
            .Where(node => node.State == NodeState.Ready)
            .SelectMany(node => node.Devices)
            .SelectMany(device => device.RunningShards)
            .Where(lease => lease.Shard.Job == job)
            .ToLookup(lease => lease.Device);
        try
        {
            await Task.WhenAll(leases.Select(device => Device(device.Key).SettleShards([.. device])))
                .WaitAsync(Limits.SettleWait, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or NodeOfflineException or OrleansException)
        {
            // What a device does not make durable in time is lost with its lease.
        }
    }
}
