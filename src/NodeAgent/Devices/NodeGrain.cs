using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Placement;
using Orleans;
using Orleans.Concurrency;
using Orleans.Placement;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>The machine's address in the cluster.</summary>
[NodePinned, Immovable, Reentrant, GrainType("node")]
internal sealed class NodeGrain(DeviceRegistry registry, DeviceOrders orders) : Grain, INodeGrain
{
    public Task<NodeHeartbeat> Describe() => Task.FromResult(registry.Describe(leaving: false));

    public Task<DeviceOrderReply> Order(DeviceOrder order) => Task.FromResult(orders.CarryOut(order));

    public Task<NodeExamination> Examine(CancellationToken cancellationToken = default) =>
        registry.ExamineAsync(cancellationToken);
}
