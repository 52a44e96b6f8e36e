namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>A machine, on its own agent: owns drivers and health. Key: the node id. Pinned to the node.</summary>
[Alias("fleet.INode")]
public interface INodeGrain : IGrainWithStringKey
{
    /// <summary>What the node would say in its next heartbeat.</summary>
    /// <exception cref="NodeOfflineException">The node is not in the cluster.</exception>
    [Alias("Describe")]
    Task<NodeHeartbeat> Describe();

    /// <summary>Does with one of its devices what its owner wants; may be repeated. Returns at once: the device's state tells the rest.</summary>
    /// <exception cref="NodeOfflineException">The node is not in the cluster.</exception>
    [Alias("Order")]
    Task<DeviceOrderReply> Order(DeviceOrder order);

    /// <summary>Examines the node now, or waits for an examination under way. Takes seconds; opens no GPU.</summary>
    /// <exception cref="NodeOfflineException">The node is not in the cluster.</exception>
    [Alias("Examine")]
    Task<NodeExamination> Examine(CancellationToken cancellationToken = default);
}
