using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about leases: reports, heartbeats, hand-overs and lost nodes.</summary>
internal sealed partial class LeaderTurn
{
    private void TakeReport(Input.Report input)
    {
        var report = input.Body;
        if (memory.FindRunning(report.Lease) is not { } running || running.Shard.IsEnding)
        {
            Commit(
                ReportDecision.Late(report),
                outcomes => Answer(input, outcomes[0].Applied),
                input.Abandon,
                _ => Answer(input, isAccepted: false)
            );
            return;
        }
        var (job, shard) = running;
        var verdict = ReportDecision.Of(job, shard, report, options.MaxShardFailures);
        if (report.Outcome == ShardOutcome.Failed)
            memory.Fleet.HoldBack(report.Lease.Device, Now, options.DeviceHoldBack);
        End(
            job,
            shard,
            verdict,
            isAccepted => Answer(input, isAccepted),
            input.Abandon,
            why => TakeRejected(input, why)
        );
    }

    /// <summary>The ledger cannot store what was reported: the work has failed there, and its results with it.</summary>
    private void TakeRejected(Input.Report input, Exception why)
    {
        if (memory.FindRunning(input.Body.Lease) is not { } running || running.Shard.IsEnding)
        {
            Answer(input, isAccepted: false);
            return;
        }
        var (job, shard) = running;
        memory.Fleet.HoldBack(input.Body.Lease.Device, Now, options.DeviceHoldBack);
        var verdict = ReportDecision.Rejected(job, shard, why.Message, options.MaxShardFailures);
        // The lease has ended, so the device is to stop.
        End(job, shard, verdict, _ => Answer(input, isAccepted: false), input.Abandon);
    }

    private void Answer(Input.Report input, bool isAccepted)
    {
        if (!isAccepted)
        {
            LogFenced(logger, input.Body.Lease);
            parts.Metrics.ReportFenced();
        }
        input.Reply(isAccepted ? ReportReply.Accepted : ReportReply.Fenced);
    }

    /// <summary>Sends a verdict to the ledger, and notes at once that it is on its way.</summary>
    private void End(
        JobEntry job,
        ShardEntry shard,
        ReportVerdict verdict,
        Action<bool> then,
        Action<Exception> abandon,
        Action<Exception>? rejected = null
    )
    {
        var settled = verdict.Settled.Where(shard.OpenItems.Remove).ToList();
        shard.IsEnding = verdict.End != LeaseEnd.None;
        shard.IsFinishing = verdict.End == LeaseEnd.Finished;
        job.IsEnding |= verdict.EndsJob;
        Commit(
            verdict.Operations,
            outcomes =>
            {
                shard.IsEnding = false;
                shard.IsFinishing = false;
                // A move that was refused leaves the job to its other shards, or to the check after every commit.
                if (verdict.EndsJob && !outcomes[^1].Applied)
                    job.IsEnding = false;
                hasChanged |= verdict.End != LeaseEnd.None;
                if (!outcomes[0].Applied && memory.FindRunning(shard.Lease) is not null)
                    throw new StaleMemoryException(
                        $"{shard.Lease}: running here, but the ledger takes nothing for it."
                    );
                then(outcomes[0].Applied);
            },
            abandon,
            rejected is null
                ? null
                : why =>
                {
                    shard.OpenItems.UnionWith(settled);
                    shard.IsEnding = false;
                    shard.IsFinishing = false;
                    job.IsEnding &= !verdict.EndsJob;
                    rejected(why);
                }
        );
    }

    private void Lose(LeaseKey lease, string reason)
    {
        if (memory.FindRunning(lease) is not { } running || running.Shard.IsEnding)
            return;
        memory.Leases.Revoke(lease);
        End(running.Job, running.Shard, ReportDecision.Lost(running.Job, running.Shard, reason), _ => { }, _ => { });
    }

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
        var listed = heartbeat.Devices.SelectMany(device => device.RunningShards).ToHashSet();
        foreach (var lease in hasRestarted ? memory.Leases.OnNode(node).Where(lease => !listed.Contains(lease)) : [])
            Lose(lease, $"The agent of node '{node}' has restarted.");
        foreach (var lease in heartbeat.Leaving ? memory.Leases.OnNode(node) : [])
            Lose(lease, $"Node '{node}' is leaving.");
        var renewed = listed.Where(lease => lease.Device.Node == node && memory.Leases.Renew(lease, Now)).ToList();
        foreach (var lease in memory.Leases.Unlisted(node, listed, Now))
            Lose(lease, $"Device '{lease.Device}' no longer knows of it.");
        input.Reply(new HeartbeatReply(renewed, [.. listed.Except(renewed)], options.LeaseDuration));
    }

    private void TakeNodeDied(NodeId node)
    {
        memory.Fleet.Died(node);
        hasChanged = true;
        foreach (var lease in memory.Leases.OnNode(node))
            Lose(lease, $"Node '{node}' is gone from the cluster.");
    }

    private void TakeHandOver(HandOver outcome)
    {
        var lease = outcome.Lease;
        switch (outcome)
        {
            case HandOver.Accepted:
                memory.Leases.HandedOver(lease, Now);
                break;
            case HandOver.Refused(_, var refusal):
                memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
                Lose(lease, $"Device '{lease.Device}' refused it: {refusal.Message}");
                break;
            // Unless a heartbeat has named the lease in the meantime: then only the answer was lost.
            case HandOver.Unreachable(_, var reason) when !memory.Leases.IsHandedOver(lease):
                memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
                Lose(lease, $"Device '{lease.Device}' could not be reached: {reason}");
                break;
            case HandOver.NothingLeft:
                memory.FindRunning(lease)?.Shard.OpenItems.Clear();
                Lose(lease, "Nothing was left of it.");
                break;
        }
    }

    private void TakeTick()
    {
        foreach (var lease in memory.Leases.Expired(Now))
            Lose(lease, $"Node '{lease.Device.Node}' was not heard for {options.LeaseDuration.TotalSeconds:0} s.");
        // A device may be silent, or held back no more, without any other sign.
        hasChanged = true;
        parts.Metrics.Observe(memory, term.Epoch);
    }
}
