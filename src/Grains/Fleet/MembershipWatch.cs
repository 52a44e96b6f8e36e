using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Fleet;

/// <summary>Tells which nodes have left the cluster: those with an active silo before and none now.</summary>
internal static class MembershipWatch
{
    public static async Task RunAsync(
        IClusterMembershipService membership,
        Action<NodeId> died,
        CancellationToken cancellationToken
    )
    {
        HashSet<string> before = [];
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(cancellationToken))
        {
            // By name, not by address: an agent that has already come back is not dead, and its heartbeat says that it is new.
            var now = snapshot
                .Members.Values.Where(member => member.Status == SiloStatus.Active)
                .Select(member => member.Name)
                .ToHashSet(StringComparer.Ordinal);
            foreach (var name in before.Except(now, StringComparer.Ordinal))
                died(new NodeId(name));
            before = now;
        }
    }
}
