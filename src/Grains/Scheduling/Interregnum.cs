using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// What goes on of a term that ended only because the ledger did not answer: the leases it knew are prolonged while their
/// devices name them, so that work is not given up for a database that restarts. Nothing is granted or taken back here.
/// It is over when this scheduler leads again, when another one has led, or after <see cref="SchedulingOptions.OutageGrace"/>.
/// Safe from any thread.
/// </summary>
/// <param name="since">When the term ended, in elapsed time of this scheduler.</param>
internal sealed class Interregnum(
    FleetView fleet,
    LeaseBook leases,
    long epoch,
    TimeSpan since,
    SchedulingOptions options
)
{
    private readonly Lock gate = new();
    private bool isOver;

    /// <summary>The fleet as heard so far; for the next turn, once this one is over.</summary>
    public FleetView Fleet => fleet;

    /// <summary>Whether a term follows on the one before this without another leader in between.</summary>
    public bool IsFollowedBy(long nextEpoch) => nextEpoch == epoch + 1;

    /// <summary>Answers a heartbeat; null when it is over.</summary>
    /// <exception cref="ArgumentException">The heartbeat is not acceptable.</exception>
    public HeartbeatReply? Hear(NodeHeartbeat heartbeat, TimeSpan now, DateTimeOffset at)
    {
        lock (gate)
        {
            if (isOver || now - since > options.OutageGrace)
                return null;
            fleet.Hear(heartbeat, now, at);
            var node = heartbeat.Facts.Node;
            var (renewed, revoked) = (new List<LeaseKey>(), new List<LeaseKey>());
            foreach (var lease in heartbeat.Devices.SelectMany(device => device.RunningShards).Distinct())
                (lease.Device.Node == node && leases.Renew(lease, now) ? renewed : revoked).Add(lease);
            return new HeartbeatReply(renewed, revoked, options.LeaseDuration);
        }
    }

    /// <summary>Membership has declared a node dead.</summary>
    public void NodeDied(NodeId node)
    {
        lock (gate)
        {
            if (isOver)
                return;
            fleet.Died(node);
            foreach (var lease in leases.OnNode(node))
                leases.Revoke(lease);
        }
    }

    /// <summary>A new term serves: from here on the fleet is its own.</summary>
    public void End()
    {
        lock (gate)
            isOver = true;
    }
}
