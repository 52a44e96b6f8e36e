namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>The node of a pinned grain is not an active member of the cluster.</summary>
[GenerateSerializer, Alias("fleet.NodeOffline")]
public sealed class NodeOfflineException(string node) : Exception($"Node '{node}' is not in the cluster.")
{
    [Id(0)]
    public string Node { get; } = node;
}
