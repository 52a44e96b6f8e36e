using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about reports: those of one call go to the ledger together.</summary>
internal sealed partial class LeaderTurn
{
    private void TakeReport(Input.Report input)
    {
        var settlements = new List<Settlement>(input.Bodies.Length);
        for (var i = 0; i < input.Bodies.Length; i++)
        {
            var settlement = Judge(input, i);
            settlement.Begin();
            settlements.Add(settlement);
        }
        Settle(settlements, input.Abandon);
    }

    private Settlement Judge(Input.Report input, int index)
    {
        var report = input.Bodies[index];
        void Reply(bool isAccepted) => Answer(input, index, isAccepted);
        if (memory.FindRunning(report.Lease) is not { } running || running.Shard.IsEnding)
        {
            var late = new ReportVerdict([ReportDecision.Late(report)], [], LeaseEnd.None, EndsJob: false);
            return new Settlement(null, null, late, Reply, _ => Reply(isAccepted: false));
        }
        var (job, shard) = running;
        var isAlone = memory.Leases.LoadOf(report.Lease.Device).All == 1;
        var verdict = ReportDecision.Of(job, shard, report, isAlone);
        if (report.Outcome == ShardOutcome.Failed)
            HoldBackAfter(report, job);
        return new Settlement(job, shard, verdict, Reply, why => TakeRejected(input, index, why));
    }

    /// <summary>
    /// A device whose worker died, or on which a model did not work, is left alone for a while. A no-op that failed by
    /// itself says nothing about its device.
    /// </summary>
    private void HoldBackAfter(ShardReport report, JobEntry job)
    {
        var isOfDevice = WorkerFailures.IsLoss(report.Failure) || job.Shape.Kind != JobKind.Noop;
        if (isOfDevice && report.Failure?.Retryable != false)
            memory.Fleet.HoldBack(report.Lease.Device, Now, options.DeviceHoldBack);
    }

    /// <summary>The ledger cannot store what was reported: the work has failed there, and its results with it.</summary>
    private void TakeRejected(Input.Report input, int index, Exception why)
    {
        var lease = input.Bodies[index].Lease;
        if (memory.FindRunning(lease) is not { } running || running.Shard.IsEnding)
        {
            Answer(input, index, isAccepted: false);
            return;
        }
        var (job, shard) = running;
        memory.Fleet.HoldBack(lease.Device, Now, options.DeviceHoldBack);
        var verdict = ReportDecision.Rejected(job, shard, why.Message);
        // The lease has ended, so the device is to stop.
        var settlement = new Settlement(
            job,
            shard,
            verdict,
            _ => Answer(input, index, isAccepted: false),
            rejected: null
        );
        settlement.Begin();
        Settle([settlement], input.Abandon);
    }

    private void Answer(Input.Report input, int index, bool isAccepted)
    {
        if (!isAccepted)
        {
            LogFenced(logger, input.Bodies[index].Lease);
            parts.Metrics.ReportFenced();
        }
        input.ReplyAt(index, isAccepted ? ReportReply.Accepted : ReportReply.Fenced);
    }

    /// <summary>Sends verdicts, already begun, to the ledger in one transaction.</summary>
    private void Settle(List<Settlement> settlements, Action<Exception> abandon)
    {
        if (settlements.Count == 0)
            return;
        var operations = new List<LedgerOperation>(settlements.Count * 3);
        var canBeRejected = true;
        foreach (var settlement in settlements)
        {
            operations.AddRange(settlement.Operations);
            canBeRejected &= settlement.Rejected is not null;
            settlement.Sent();
        }
        Commit(
            operations,
            outcomes => TakeSettled(settlements, outcomes),
            abandon,
            canBeRejected ? why => TakeNotStored(settlements, abandon, why) : null
        );
    }

    private void TakeSettled(List<Settlement> settlements, IReadOnlyList<LedgerOutcome> outcomes)
    {
        var first = 0;
        foreach (var settlement in settlements)
        {
            var last = first + settlement.Operations.Count - 1;
            var isApplied = outcomes[first].Applied;
            settlement.End(isApplied, outcomes[last].Applied);
            if (!isApplied && settlement.Shard is { State: ShardState.Running } shard)
            {
                if (memory.FindRunning(shard.Lease) is not null)
                    throw new StaleMemoryException(
                        $"{shard.Lease}: running here, but the ledger takes nothing for it."
                    );
            }
            settlement.Answer(isApplied);
            first = last + 1;
        }
    }

    /// <summary>One of them cannot be stored: each is tried by itself, so that only that one fails.</summary>
    private void TakeNotStored(List<Settlement> settlements, Action<Exception> abandon, Exception why)
    {
        if (settlements.Count > 1)
        {
            foreach (var settlement in settlements)
                Settle([settlement], abandon);
            return;
        }
        settlements[0].Undo();
        settlements[0].Rejected!(why);
    }
}
