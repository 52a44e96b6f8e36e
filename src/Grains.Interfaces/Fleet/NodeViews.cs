namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>Whether a node is heard.</summary>
public enum NodeState
{
    /// <summary>Enrolled, never heard since the leader started.</summary>
    Offline = 0,
    Ready = 1,

    /// <summary>Missed heartbeats; its leases run out at their deadlines.</summary>
    Silent = 2,
}

/// <summary>A node as the scheduler sees it.</summary>
/// <param name="Conditions">What it last said is not in order.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeView")]
public sealed record NodeView(
    [property: Id(0)] NodeId Node,
    [property: Id(1)] NodeState State,
    [property: Id(2)] NodeFacts? Facts,
    [property: Id(3)] DateTimeOffset? LastHeard,
    [property: Id(4)] IReadOnlyList<DeviceStatus> Devices,
    [property: Id(5)] IReadOnlyList<NodeCondition> Conditions
);

/// <summary>What an agent tells every few seconds; nothing of it is written to the database.</summary>
/// <param name="Conditions">What is not in order, first cause first; null: nothing is known to be wrong.</param>
[GenerateSerializer, Immutable, Alias("fleet.NodeHeartbeat")]
public sealed record NodeHeartbeat(
    [property: Id(0)] NodeFacts Facts,
    [property: Id(1)] IReadOnlyList<DeviceStatus> Devices,
    [property: Id(2)] bool Leaving,
    [property: Id(3)] IReadOnlyList<NodeCondition>? Conditions = null
);

/// <summary>The leader's answer: which of the reported leases are renewed; every other one must be dropped at once.</summary>
[GenerateSerializer, Immutable, Alias("fleet.HeartbeatReply")]
public sealed record HeartbeatReply(
    [property: Id(0)] IReadOnlyList<Scheduling.LeaseKey> Renewed,
    [property: Id(1)] IReadOnlyList<Scheduling.LeaseKey> Revoked,
    [property: Id(2)] TimeSpan LeaseDuration
);
