using EgpuFleet.Grains.Interfaces.Fleet;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace EgpuFleet.Grains.Interfaces.Placement;

/// <summary>Places a grain on the silo named as the part of its key before the first slash.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NodePinnedAttribute() : PlacementAttribute(NodePinnedPlacement.Instance);

/// <summary>The strategy behind <see cref="NodePinnedAttribute"/>; carries no state.</summary>
[Serializable, GenerateSerializer, Immutable, Alias("fleet.NodePinned")]
public sealed class NodePinnedPlacement : PlacementStrategy
{
    internal static readonly NodePinnedPlacement Instance = new();
}

/// <summary>
/// Finds the silo by its name in the membership snapshot. Two incarnations of one node may both be listed for a moment
/// after a crash: the newest generation wins.
/// </summary>
public sealed class NodePinnedDirector(IClusterMembershipService membership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy,
        PlacementTarget target,
        IPlacementContext context
    )
    {
        var key = target.GrainIdentity.Key.ToString()!;
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var node = slash < 0 ? key : key[..slash];
        ClusterMember? newest = null;
        foreach (var member in membership.CurrentSnapshot.Members.Values)
        {
            if (member.Status != SiloStatus.Active || member.Name != node)
                continue;
            if (newest is null || member.SiloAddress.Generation > newest.SiloAddress.Generation)
                newest = member;
        }
        return newest is null ? throw new NodeOfflineException(node) : Task.FromResult(newest.SiloAddress);
    }
}

/// <summary>Registration of node-pinned placement; call it on every silo.</summary>
public static class NodePinnedPlacementExtensions
{
    public static void AddNodePinnedPlacement(this IServiceCollection services) =>
        services.AddPlacementDirector<NodePinnedPlacement, NodePinnedDirector>();
}
