using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>The leases of one machine's devices, taken and ended by the rules of the real agent.</summary>
internal sealed class ShardBench(
    NodeId node,
    Place place,
    LeaseClock clock,
    Dice dice,
    Func<AgentMood> mood,
    ShardWorker worker,
    Action changed
)
{
    public const int NoopSlots = 64;
    private const int RememberedLeases = 256;

    private readonly Dictionary<LeaseKey, HeldShard> held = [];
    private readonly Queue<LeaseKey> remembered = new();

    /// <summary>The live leases of a device.</summary>
    public LeaseKey[] Running(DeviceId device) =>
        [.. held.Values.Where(shard => shard.EndReason is null && shard.Key.Device == device).Select(s => s.Key)];

    public Refusal? Start(ShardAssignment assignment)
    {
        var key = assignment.Lease;
        if (key.Device.Node != node)
            return new Refusal(RefusalCode.Fenced, "Another node's lease.");
        if (remembered.Contains(key))
            return null;
        if (remembered.Any(other => other.Shard == key.Shard && other.Epoch > key.Epoch))
            return new Refusal(RefusalCode.Fenced, "A later epoch was here.");
        foreach (var other in held.Values.Where(other => other.Key.Shard == key.Shard))
            other.End($"epoch {key.Epoch} arrived");
        var sameKind = held.Values.Count(other => IsInTheWay(other, assignment));
        if (sameKind >= (assignment.Kind == JobKind.Noop ? NoopSlots : 1) || dice.Chance(mood().RefusalChance))
            return new Refusal(RefusalCode.DeviceBusy, "Busy.");
        remembered.Enqueue(key);
        if (remembered.Count > RememberedLeases)
            remembered.Dequeue();
        var shard = new HeldShard(assignment, clock);
        held.Add(key, shard);
        place.Go(() => RunAsync(shard));
        changed();
        return null;
    }

    public void Stop(LeaseKey lease)
    {
        if (held.TryGetValue(lease, out var shard))
            shard.End("the leader stopped it");
    }

    /// <summary>Carries out the answer to a heartbeat that named some leases.</summary>
    public void Renew(LeaseKey[] named, IReadOnlyList<LeaseKey> renewed, TimeSpan sentAt, TimeSpan duration)
    {
        foreach (var key in named)
        {
            if (!held.TryGetValue(key, out var shard))
                continue;
            if (renewed.Contains(key))
                shard.Renew(sentAt, duration);
            else
                shard.End("the leader revoked it");
        }
    }

    public void EndAll(string reason)
    {
        foreach (var shard in held.Values.ToList())
            shard.End(reason);
    }

    private static bool IsInTheWay(HeldShard other, ShardAssignment assignment) =>
        other.IsComputing
        && other.EndReason is null
        && other.Key.Device == assignment.Lease.Device
        && other.Assignment.Kind == assignment.Kind;

    private async Task RunAsync(HeldShard shard)
    {
        try
        {
            await worker.RunAsync(shard);
        }
        finally
        {
            held.Remove(shard.Key);
            shard.Dispose();
            changed();
        }
    }
}
