using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Fleet;

/// <summary>
/// The leases of a pool as its leader knows them. The protocol:
/// <list type="bullet">
/// <item><b>Identity.</b> A lease is (shard, epoch, device). The epoch is the safety: the ledger takes a write about a shard
/// only under its current epoch while the shard is running, so whatever a device, a wire or an old leader does late is
/// refused there. Deadlines only decide when to go on without a device.</item>
/// <item><b>Granting.</b> Only the leader grants, and only what the ledger has committed. A planned lease takes its slot at
/// once, so that many plans may be on their way, but nothing else is true of it before. Until the device has answered the
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
/// Times are elapsed time of the leader's monotonic clock. At most one lease per shard, at most one of a model per device,
/// and of no-ops as many as the planner finds slots for.
/// </summary>
internal sealed class LeaseBook(TimeSpan leaseDuration, TimeSpan unlistedGrace)
{
    private readonly Dictionary<ShardId, Entry> byShard = [];
    private readonly Dictionary<DeviceId, DeviceLoad> byDevice = [];

    private sealed class Entry(LeaseKey lease, LeaseUse use)
    {
        public LeaseKey Lease { get; } = lease;
        public LeaseUse Use { get; } = use;
        public bool IsGranted { get; set; }
        public TimeSpan? Deadline { get; set; }
        public TimeSpan? UnlistedSince { get; set; }
        public bool Revoked { get; set; }

        public bool IsLive => IsGranted && !Revoked;
    }

    /// <summary>All leases, the planned ones too.</summary>
    public int Count => byShard.Count;

    /// <summary>Enters a planned lease: its slot is taken.</summary>
    /// <exception cref="InvalidOperationException">The shard or the slot has a lease: a broken invariant.</exception>
    public void Reserve(LeaseKey lease, LeaseUse use)
    {
        if (!byShard.TryAdd(lease.Shard, new Entry(lease, use)))
            throw new InvalidOperationException($"{lease}: the shard is leased as {byShard[lease.Shard].Lease}.");
        var load = LoadOf(lease.Device).With(use, 1);
        if (load.Models > 1)
            throw new InvalidOperationException($"{lease}: the device runs another shard of a model.");
        byDevice[lease.Device] = load;
    }

    /// <summary>A planned lease is committed, and is being handed over.</summary>
    public void Grant(LeaseKey lease)
    {
        if (Find(lease) is not { } entry)
            throw new InvalidOperationException($"{lease}: committed, but never planned.");
        entry.IsGranted = true;
    }

    /// <summary>Enters a lease of an earlier term, with one full period.</summary>
    public void Inherit(LeaseKey lease, LeaseUse use, TimeSpan now)
    {
        Reserve(lease, use);
        Grant(lease);
        byShard[lease.Shard].Deadline = now + leaseDuration;
    }

    /// <summary>The device has taken the shard: its deadline starts.</summary>
    public void HandedOver(LeaseKey lease, TimeSpan now)
    {
        if (Find(lease) is { IsLive: true } entry)
            entry.Deadline = now + leaseDuration;
    }

    /// <summary>Whether the device is known to have the shard.</summary>
    public bool IsHandedOver(LeaseKey lease) => Find(lease)?.Deadline is not null;

    /// <summary>Whether exactly this lease is held and not being taken back.</summary>
    public bool IsLive(LeaseKey lease) => Find(lease) is { IsLive: true };

    /// <summary>Prolongs a lease its device named; false when it is not live: the device must drop it.</summary>
    public bool Renew(LeaseKey lease, TimeSpan now)
    {
        if (Find(lease) is not { IsLive: true } entry)
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
        if (!byShard.Remove(shard, out var entry))
            return;
        var load = LoadOf(entry.Lease.Device).With(entry.Use, -1);
        if (load.All == 0)
            byDevice.Remove(entry.Lease.Device);
        else
            byDevice[entry.Lease.Device] = load;
    }

    /// <summary>What a device's slots are taken by.</summary>
    public DeviceLoad LoadOf(DeviceId device) => byDevice.GetValueOrDefault(device);

    /// <summary>The committed lease of a shard.</summary>
    public LeaseKey? Of(ShardId shard) =>
        byShard.TryGetValue(shard, out var entry) && entry.IsGranted ? entry.Lease : null;

    /// <summary>Live leases of a node's devices.</summary>
    public IReadOnlyList<LeaseKey> OnNode(NodeId node) =>
        [.. byShard.Values.Where(e => e.IsLive && e.Lease.Device.Node == node).Select(e => e.Lease)];

    /// <summary>Live leases whose deadline has come.</summary>
    public IReadOnlyList<LeaseKey> Expired(TimeSpan now) =>
        [.. byShard.Values.Where(e => e.IsLive && e.Deadline <= now).Select(e => e.Lease)];

    /// <summary>
    /// Live leases of a node that its devices have not named since longer than the grace; call it with each heartbeat,
    /// after the named ones were renewed.
    /// </summary>
    public IReadOnlyList<LeaseKey> Unlisted(NodeId node, IReadOnlySet<LeaseKey> listed, TimeSpan now)
    {
        var lost = new List<LeaseKey>();
        foreach (var entry in byShard.Values)
        {
            var isHeld = entry.IsLive && entry.Deadline is not null && entry.Lease.Device.Node == node;
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
