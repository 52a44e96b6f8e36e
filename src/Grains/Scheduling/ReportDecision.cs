using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>How a report ends the lease it speaks of.</summary>
internal enum LeaseEnd
{
    /// <summary>Not at all.</summary>
    None,
    Finished,
    Requeued,
    Failed,
}

/// <summary>What to write for a report.</summary>
/// <param name="Settled">Items that have their result once this is durable.</param>
internal sealed record ReportVerdict(
    IReadOnlyList<LedgerOperation> Operations,
    IReadOnlyList<int> Settled,
    LeaseEnd End,
    bool EndsJob
);

/// <summary>Turns a report, and the end of a lease without one, into the operations that make it durable. Pure.</summary>
internal static class ReportDecision
{
    /// <summary>A report on a lease that memory does not know as running: only the ledger can say that it is too late.</summary>
    public static IReadOnlyList<LedgerOperation> Late(ShardReport report) =>
        [new LedgerOperation.RecordResults(report.Lease.Shard, report.Lease.Epoch, report.Results)];

    /// <summary>A report on a running lease that nothing has ended yet.</summary>
    public static ReportVerdict Of(JobEntry job, ShardEntry shard, ShardReport report, int maxFailures)
    {
        if (WhatIsWrong(shard, report) is { } wrong)
            return Failed(job, shard, [], [], new ShardFailure("report_invalid", wrong, Retryable: true), maxFailures);
        var settled = report.Results.Select(result => result.Index).ToList();
        LedgerOperation[] record = [new LedgerOperation.RecordResults(shard.Id, shard.Epoch, report.Results)];
        if (report.Outcome == ShardOutcome.Progress)
            return new ReportVerdict(record, settled, LeaseEnd.None, EndsJob: false);
        var left = shard.OpenItems.Count(item => !settled.Contains(item));
        if (left == 0)
            return Finished(job, shard, record, settled);
        if (report.Outcome == ShardOutcome.Failed)
        {
            var failure = report.Failure ?? new ShardFailure("unknown", "The device gave no reason.", Retryable: true);
            return Failed(job, shard, record, settled, failure, maxFailures);
        }
        return Unfinished(job, shard, record, settled, left, maxFailures);
    }

    /// <summary>A lease that ends without a report: lost with its node, at its deadline, or never handed over.</summary>
    public static ReportVerdict Lost(JobEntry job, ShardEntry shard, string reason) =>
        shard.OpenItems.Count == 0
            ? Finished(job, shard, [], [])
            : new ReportVerdict(
                [new LedgerOperation.RequeueShard(shard.Id, shard.Epoch, reason, CountsAsFailure: false)],
                [],
                LeaseEnd.Requeued,
                EndsJob: false
            );

    /// <summary>A report on a running lease whose results the ledger cannot store.</summary>
    public static ReportVerdict Rejected(JobEntry job, ShardEntry shard, string why, int maxFailures) =>
        Failed(job, shard, [], [], new ShardFailure("report_rejected", why, Retryable: true), maxFailures);

    private static ReportVerdict Finished(
        JobEntry job,
        ShardEntry shard,
        LedgerOperation[] record,
        IReadOnlyList<int> settled
    )
    {
        var endsJob = job.WouldBeDoneWithout(shard);
        List<LedgerOperation> operations = [.. record, new LedgerOperation.FinishShard(shard.Id, shard.Epoch)];
        if (endsJob)
            operations.Add(Succeeded(job));
        return new ReportVerdict(operations, settled, LeaseEnd.Finished, endsJob);
    }

    public static LedgerOperation Succeeded(JobEntry job) => new LedgerOperation.SucceedJob(job.Spec.Id);

    /// <summary>The device has done its assignment, but the shard has more: its input was too large for one assignment.</summary>
    private static ReportVerdict Unfinished(
        JobEntry job,
        ShardEntry shard,
        LedgerOperation[] record,
        IReadOnlyList<int> settled,
        int left,
        int maxFailures
    )
    {
        // A lease under which nothing at all was done would go round for ever: that is a failure of the work.
        if (left == shard.OpenItemsAtGrant)
        {
            var nothing = new ShardFailure("nothing_done", "The device finished without any result.", Retryable: true);
            return Failed(job, shard, record, settled, nothing, maxFailures);
        }
        var requeue = new LedgerOperation.RequeueShard(
            shard.Id,
            shard.Epoch,
            $"{left} items are left for another assignment.",
            CountsAsFailure: false
        );
        return new ReportVerdict([.. record, requeue], settled, LeaseEnd.Requeued, EndsJob: false);
    }

    private static ReportVerdict Failed(
        JobEntry job,
        ShardEntry shard,
        LedgerOperation[] record,
        IReadOnlyList<int> settled,
        ShardFailure failure,
        int maxFailures
    )
    {
        var reason = $"{failure.Code}: {failure.Message}";
        if (failure.Retryable && shard.FailureCount + 1 < maxFailures)
        {
            var requeue = new LedgerOperation.RequeueShard(shard.Id, shard.Epoch, reason, CountsAsFailure: true);
            return new ReportVerdict([.. record, requeue], settled, LeaseEnd.Requeued, EndsJob: false);
        }
        var code = failure.Retryable ? JobEndCode.RetriesExhausted : JobEndCode.WorkFailed;
        return new ReportVerdict(
            [
                .. record,
                new LedgerOperation.FailShard(shard.Id, shard.Epoch, reason),
                new LedgerOperation.EndJob(job.Spec.Id, JobState.Failed, new JobEnd(code, reason)),
            ],
            settled,
            LeaseEnd.Failed,
            EndsJob: true
        );
    }

    private static string? WhatIsWrong(ShardEntry shard, ShardReport report)
    {
        var seen = new HashSet<int>();
        foreach (var result in report.Results)
        {
            if (result.Index < shard.FirstItem || result.Index >= shard.FirstItem + shard.ItemCount)
                return $"The report has a result for item {result.Index}, which is not of the shard.";
            if (!seen.Add(result.Index))
                return $"The report has two results for item {result.Index}.";
            if (result.Text is null == result.ErrorCode is null)
                return $"The result for item {result.Index} is neither a text nor an error.";
        }
        return null;
    }
}
