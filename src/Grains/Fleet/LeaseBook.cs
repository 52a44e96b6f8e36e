using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Fleet;

/// <summary>
/// The leases of a pool as its leader knows them. The protocol:
/// <list type="bullet">
/// <item><b>Identity.</b> A lease is (shard, epoch, device). The epoch is the safety: the ledger takes a write about a shard
/// only under its current epoch while the shard is running, so whatever a device, a wire or an old leader does late is
/// refused there. Deadlines only decide when to go on without a device.</item>
/// <item><b>Granting.</b> Only the leader grants, and only what the ledger has committed. Until the device has answered the
/// hand-over, a lease has no deadline: the hand-over itself has one.</item>
/// <item><b>Deadline.</b> The device counts <c>LeaseDuration</c> (10 s) from when it received the shard or sent the heartbeat
/// (every 3 s) that renewed it; the leader counts it from when the answer or the heartbeat reached it, which is later. So
/// the device stops before the leader re-leases, whatever the network did in between.</item>
/// <item><b>Revoking.</b> The leader alone takes a lease back: at its deadline; at once when membership declares the node
/// dead, when the agent restarted or leaves, when the device failed or refused the shard; and when a device has not named
/// its lease for longer than a grace. It is back when the ledger has committed that; in between it is not renewed.</item>
/// <item><b>A new leader</b> finds the running shards in the ledger and gives each lease one full period from then, since
/// the old leader may have renewed it just before.</item>
/// </list>
/// Times are elapsed time of the leader's monotonic clock. At most one lease per shard and per device.
/// </summary>
internal sealed class LeaseBook(TimeSpan leaseDuration, TimeSpan unlistedGrace)
{
    private readonly Dictionary<ShardId, Entry> byShard = [];
    private readonly Dictionary<DeviceId, Entry> byDevice = [];

    private sealed class Entry(LeaseKey lease)
    {
        public LeaseKey Lease { get; } = lease;
        public TimeSpan? Deadline { get; set; }
        public TimeSpan? UnlistedSince { get; set; }
        public bool Revoked { get; set; }
    }

    public int Count => byShard.Count;

    /// <summary>Enters a committed lease that is being handed over.</summary>
    /// <exception cref="InvalidOperationException">The shard or the device has a lease: a broken invariant.</exception>
    public void Grant(LeaseKey lease)
    {
        var entry = new Entry(lease);
        if (!byShard.TryAdd(lease.Shard, entry))
            throw new InvalidOperationException($"{lease}: the shard is leased as {byShard[lease.Shard].Lease}.");
        if (!byDevice.TryAdd(lease.Device, entry))
            throw new InvalidOperationException($"{lease}: the device holds {byDevice[lease.Device].Lease}.");
    }

    /// <summary>Enters a lease of an earlier leader, with one full period.</summary>
    public void Inherit(LeaseKey lease, TimeSpan now)
    {
        Grant(lease);
        byShard[lease.Shard].Deadline = now + leaseDuration;
    }

    /// <summary>The device has taken the shard: its deadline starts.</summary>
    public void HandedOver(LeaseKey lease, TimeSpan now)
    {
        if (Find(lease) is { Revoked: false } entry)
            entry.Deadline = now + leaseDuration;
    }

    /// <summary>Whether the device is known to have the shard.</summary>
    public bool IsHandedOver(LeaseKey lease) => Find(lease)?.Deadline is not null;

    /// <summary>Whether exactly this lease is held and not being taken back.</summary>
    public bool IsLive(LeaseKey lease) => Find(lease) is { Revoked: false };

    /// <summary>Prolongs a lease its device named; false when it is not live: the device must drop it.</summary>
    public bool Renew(LeaseKey lease, TimeSpan now)
    {
        if (Find(lease) is not { Revoked: false } entry)
            return false;
        entry.Deadline = now + leaseDuration;
        entry.UnlistedSince = null;
        return true;
    }

    /// <summary>Stops renewing a lease while the ledger takes it back.</summary>
    public void Revoke(LeaseKey lease)
    {
        if (Find(lease) is { } entry)
            entry.Revoked = true;
    }

    /// <summary>Removes what the ledger no longer has; does nothing when there is none.</summary>
    public void Release(ShardId shard)
    {
        if (byShard.Remove(shard, out var entry))
            byDevice.Remove(entry.Lease.Device);
    }

    public bool IsLeased(DeviceId device) => byDevice.ContainsKey(device);

    public LeaseKey? Of(ShardId shard) => byShard.TryGetValue(shard, out var entry) ? entry.Lease : null;

    /// <summary>Live leases of a node's devices.</summary>
    public IReadOnlyList<LeaseKey> OnNode(NodeId node) =>
        [.. byShard.Values.Where(e => !e.Revoked && e.Lease.Device.Node == node).Select(e => e.Lease)];

    /// <summary>Live leases whose deadline has come.</summary>
    public IReadOnlyList<LeaseKey> Expired(TimeSpan now) =>
        [.. byShard.Values.Where(e => !e.Revoked && e.Deadline <= now).Select(e => e.Lease)];

    /// <summary>
    /// Live leases of a node that its devices have not named since longer than the grace; call it with each heartbeat,
    /// after the named ones were renewed.
    /// </summary>
    public IReadOnlyList<LeaseKey> Unlisted(NodeId node, IReadOnlySet<LeaseKey> listed, TimeSpan now)
    {
        var lost = new List<LeaseKey>();
        foreach (var entry in byShard.Values)
        {
            var isHeld = !entry.Revoked && entry.Deadline is not null && entry.Lease.Device.Node == node;
            if (!isHeld || listed.Contains(entry.Lease))
                continue;
            entry.UnlistedSince ??= now;
            if (now - entry.UnlistedSince >= unlistedGrace)
                lost.Add(entry.Lease);
        }
        return lost;
    }

    private Entry? Find(LeaseKey lease) =>
        byShard.TryGetValue(lease.Shard, out var entry) && entry.Lease == lease ? entry : null;
}
