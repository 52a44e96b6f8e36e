namespace EgpuFleet.TestKit.Checkers;

/// <summary>What epochs promise: whoever was replaced changes nothing any more.</summary>
public static class EpochRules
{
    /// <summary>
    /// J4: every accepted write carries the current epoch: that of the last leader elected, and, for a write about a running
    /// shard, that of the shard's last start. A shard starts again only after its last lease has ended.
    /// </summary>
    public static IEnumerable<Violation> WritesCarryTheCurrentEpoch(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var leader = long.MinValue;
        var live = new Dictionary<(string, int), long>();
        foreach (var write in ledger.Writes)
        {
            if (write.Kind == WriteKind.LeaderElected)
                leader = write.LeaderEpoch ?? leader;
            else if (write.LeaderEpoch is { } epoch && epoch != leader && leader != long.MinValue)
                yield return new Violation("J4", $"{write.Kind} of job {write.Job} under leader {epoch}, not {leader}");
            if (WhatIsStale(write, live) is { } stale)
                yield return new Violation("J4", stale);
            Apply(write, live);
        }
    }

    /// <summary>J5: epochs only grow, those of leaders and those of each shard.</summary>
    public static IEnumerable<Violation> EpochsGrow(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var leader = long.MinValue;
        var shards = new Dictionary<(string, int), long>();
        foreach (var write in ledger.Writes)
        {
            if (write.LeaderEpoch is { } epoch)
            {
                if (epoch < leader || (epoch == leader && write.Kind == WriteKind.LeaderElected))
                    yield return new Violation("J5", $"leader epoch {epoch} came after {leader}");
                leader = epoch;
            }
            if (write.Kind != WriteKind.ShardStarted || write is not { Shard: { } number, Epoch: { } started })
                continue;
            if (shards.TryGetValue((write.Job, number), out var last) && started <= last)
                yield return new Violation("J5", $"shard {number} of {write.Job}: epoch {started} came after {last}");
            shards[(write.Job, number)] = started;
        }
    }

    private static string? WhatIsStale(AcceptedWrite write, Dictionary<(string, int), long> live)
    {
        if (write is not { Shard: { } number, Epoch: { } epoch })
            return null;
        var isLive = live.TryGetValue((write.Job, number), out var current);
        if (write.Kind == WriteKind.ShardStarted)
            return isLive ? $"shard {number} of {write.Job} started again while epoch {current} was live" : null;
        if (isLive && current == epoch)
            return null;
        var now = isLive ? $"epoch {current} was live" : "it had no lease";
        return $"{write.Kind} of shard {number} of {write.Job} under epoch {epoch} while {now}";
    }

    private static void Apply(AcceptedWrite write, Dictionary<(string, int), long> live)
    {
        switch (write.Kind)
        {
            case WriteKind.ShardStarted when write is { Shard: { } number, Epoch: { } epoch }:
                live[(write.Job, number)] = epoch;
                break;
            case WriteKind.ShardFinished
            or WriteKind.ShardRequeued
            or WriteKind.ShardFailed when write.Shard is { } number:
                live.Remove((write.Job, number));
                break;
            case WriteKind.JobPaused or WriteKind.Succeeded or WriteKind.Failed or WriteKind.Cancelled:
                foreach (var shard in live.Keys.Where(shard => shard.Item1 == write.Job).ToList())
                    live.Remove(shard);
                break;
        }
    }
}
