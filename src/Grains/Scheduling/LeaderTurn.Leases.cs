using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about leases: heartbeats, hand-overs and lost nodes.</summary>
internal sealed partial class LeaderTurn
{
    /// <summary>Takes leases back, all in one transaction.</summary>
    private void Lose(IEnumerable<(LeaseKey Lease, string Reason)> leases)
    {
        List<Settlement>? lost = null;
        foreach (var (lease, reason) in leases)
        {
            if (memory.FindRunning(lease) is not { } running || running.Shard.IsEnding)
                continue;
            memory.Leases.Revoke(lease);
            var verdict = ReportDecision.Lost(running.Job, running.Shard, reason);
            var settlement = new Settlement(running.Job, running.Shard, verdict, _ => { }, rejected: null);
            settlement.Begin();
            (lost ??= []).Add(settlement);
        }
        if (lost is not null)
            Settle(lost, _ => { });
    }

    private void Lose(IEnumerable<LeaseKey> leases, Func<LeaseKey, string> reason) =>
        Lose(leases.Select(lease => (lease, reason(lease))));

    private void TakeHeartbeat(Input.Heartbeat input)
    {
        var heartbeat = input.Body;
        var node = heartbeat.Facts.Node;
        bool hasRestarted;
        try
        {
            hasRestarted = memory.Fleet.Hear(heartbeat, Now, parts.Time.GetUtcNow());
        }
        catch (ArgumentException wrong)
        {
            input.Abandon(wrong);
            return;
        }
        hasChanged = true;
        var listed = new HashSet<LeaseKey>();
        foreach (var device in heartbeat.Devices)
            listed.UnionWith(device.RunningShards);
        if (hasRestarted)
            Lose(
                [.. memory.Leases.OnNode(node).Where(lease => !listed.Contains(lease))],
                _ => $"The agent of node '{node}' has restarted."
            );
        if (heartbeat.Leaving)
            Lose(memory.Leases.OnNode(node), _ => $"Node '{node}' is leaving.");
        LoseStopped(heartbeat, listed);
        var renewed = listed.Where(lease => lease.Device.Node == node && memory.Leases.Renew(lease, Now)).ToList();
        LoseUnlisted(node, listed);
        input.Reply(new HeartbeatReply(renewed, [.. listed.Except(renewed)], options.LeaseDuration));
    }

    /// <summary>
    /// A device that does not work any more and does not name a lease has nothing to say about it: no grace. One that it still
    /// names waits for its last report to be answered.
    /// </summary>
    private void LoseStopped(NodeHeartbeat heartbeat, HashSet<LeaseKey> listed)
    {
        var silenced = heartbeat
            .Devices.Where(device => device.State is not (DeviceState.Ready or DeviceState.Starting))
            .ToDictionary(device => device.Facts.Device);
        if (silenced.Count == 0)
            return;
        var lost = memory
            .Leases.OnNode(heartbeat.Facts.Node)
            .Where(lease =>
                silenced.ContainsKey(lease.Device) && memory.Leases.IsHandedOver(lease) && !listed.Contains(lease)
            );
        Lose(
            [.. lost],
            lease => $"Device '{lease.Device}' does not work: {silenced[lease.Device].Reason ?? "it did not say why."}"
        );
    }

    private void LoseUnlisted(NodeId node, HashSet<LeaseKey> listed)
    {
        var unlisted = memory.Leases.Unlisted(node, listed, Now);
        // A device that loses what it was given would be given it again at once, and lose it again.
        foreach (var lease in unlisted)
            memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
        Lose(unlisted, lease => $"Device '{lease.Device}' no longer knows of it.");
    }

    private void TakeNodeDied(NodeId node)
    {
        memory.Fleet.Died(node);
        hasChanged = true;
        Lose(memory.Leases.OnNode(node), _ => $"Node '{node}' is gone from the cluster.");
    }

    private void TakeHandOvers(IReadOnlyList<HandOver> outcomes)
    {
        List<(LeaseKey, string)>? lost = null;
        foreach (var outcome in outcomes)
        {
            if (WhyLost(outcome) is { } reason)
                (lost ??= []).Add((outcome.Lease, reason));
        }
        if (lost is not null)
            Lose(lost);
    }

    /// <summary>Null when the device has it.</summary>
    private string? WhyLost(HandOver outcome)
    {
        var lease = outcome.Lease;
        switch (outcome)
        {
            case HandOver.Accepted:
                memory.Leases.HandedOver(lease, Now);
                return null;
            case HandOver.Refused(_, var refusal):
                memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
                return $"Device '{lease.Device}' refused it: {refusal.Message}";
            // Unless a heartbeat has named the lease in the meantime: then only the answer was lost.
            case HandOver.Unreachable(_, var reason) when !memory.Leases.IsHandedOver(lease):
                memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
                return $"Device '{lease.Device}' could not be reached: {reason}";
            case HandOver.NothingLeft:
                memory.FindRunning(lease)?.Shard.OpenItems.Clear();
                return "Nothing was left of it.";
            default:
                return null;
        }
    }
}
