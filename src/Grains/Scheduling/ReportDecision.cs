using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

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
/// <param name="MakesSuspect">The shard's worker died, perhaps by its doing.</param>
internal sealed record ReportVerdict(
    IReadOnlyList<LedgerOperation> Operations,
    IReadOnlyList<ItemResult> Settled,
    LeaseEnd End,
    bool EndsJob,
    bool MakesSuspect = false
);

/// <summary>Turns a report, and the end of a lease without one, into the operations that make it durable. Pure.</summary>
internal static class ReportDecision
{
    /// <summary>A report on a lease that memory does not know as running: only the ledger can say that it is too late.</summary>
    public static LedgerOperation Late(ShardReport report) =>
        new LedgerOperation.RecordResults(report.Lease.Shard, report.Lease.Epoch, report.Results);

    /// <summary>A report on a running lease that nothing has ended yet.</summary>
    /// <param name="isAlone">No other shard is leased to the device.</param>
    public static ReportVerdict Of(JobEntry job, ShardEntry shard, ShardReport report, bool isAlone)
    {
        if (WhatIsWrong(shard, report) is { } wrong)
            return Failed(job, shard, null, new ShardFailure("report_invalid", wrong, Retryable: true), isAlone);
        var left = LeftAfter(shard, report.Results);
        if (report.Outcome == ShardOutcome.Progress)
            return new ReportVerdict([Progress(job, shard, report)], report.Results, LeaseEnd.None, EndsJob: false);
        if (left == 0)
            return Finished(job, shard, report);
        if (report.Outcome == ShardOutcome.Failed)
        {
            var failure = report.Failure ?? new ShardFailure("unknown", "The device gave no reason.", Retryable: true);
            return Failed(job, shard, report, failure, isAlone);
        }
        return Unfinished(job, shard, report, left, isAlone);
    }

    /// <summary>A lease that ends without a report: lost with its node, at its deadline, or never handed over.</summary>
    public static ReportVerdict Lost(JobEntry job, ShardEntry shard, string reason) =>
        shard.OpenItems.Count == 0
            ? Finished(job, shard, report: null)
            : new ReportVerdict(
                [new LedgerOperation.RequeueShard(shard.Id, shard.Epoch, reason, CountsAsFailure: false)],
                [],
                LeaseEnd.Requeued,
                EndsJob: false
            );

    /// <summary>A report on a running lease whose results the ledger cannot store.</summary>
    public static ReportVerdict Rejected(JobEntry job, ShardEntry shard, string why) =>
        Failed(job, shard, null, new ShardFailure("report_rejected", why, Retryable: true), isAlone: true);

    public static LedgerOperation Succeeded(JobEntry job) => new LedgerOperation.SucceedJob(job.Id);

    private static LedgerOperation.RecordResults Record(ShardEntry shard, ShardReport report) =>
        new(shard.Id, shard.Epoch, report.Results);

    /// <summary>
    /// A run that trains makes progress by checkpoints alone, and each is further on than the one before: whatever failed
    /// earlier, its tries start anew. So it is given up only when it fails so often at the same place.
    /// </summary>
    private static LedgerOperation.RecordResults Progress(JobEntry job, ShardEntry shard, ShardReport report) =>
        Record(shard, report) with
        {
            ForgetsFailures = job.Shape.Kind == JobKind.Train && shard.FailureCount > 0,
        };

    private static ReportVerdict Finished(JobEntry job, ShardEntry shard, ShardReport? report)
    {
        var endsJob = job.WouldBeDoneWithout(shard);
        var operations = new List<LedgerOperation>(3);
        if (report is not null)
            operations.Add(Record(shard, report));
        operations.Add(new LedgerOperation.FinishShard(shard.Id, shard.Epoch));
        if (endsJob)
            operations.Add(Succeeded(job));
        return new ReportVerdict(operations, report?.Results ?? [], LeaseEnd.Finished, endsJob);
    }

    /// <summary>The device has done its assignment, but the shard has more: its input was too large for one assignment.</summary>
    private static ReportVerdict Unfinished(JobEntry job, ShardEntry shard, ShardReport report, int left, bool isAlone)
    {
        // A lease under which nothing at all was done would go round for ever: that is a failure of the work.
        if (left == shard.OpenItemsAtGrant)
        {
            var nothing = new ShardFailure("nothing_done", "The device finished without any result.", Retryable: true);
            return Failed(job, shard, report, nothing, isAlone);
        }
        var requeue = new LedgerOperation.RequeueShard(
            shard.Id,
            shard.Epoch,
            $"{left} items are left for another assignment.",
            CountsAsFailure: false
        );
        return new ReportVerdict([Record(shard, report), requeue], report.Results, LeaseEnd.Requeued, EndsJob: false);
    }

    private static ReportVerdict Failed(
        JobEntry job,
        ShardEntry shard,
        ShardReport? report,
        ShardFailure failure,
        bool isAlone
    )
    {
        var reason = FailureReason.Of(failure);
        var settled = report?.Results ?? [];
        var operations = new List<LedgerOperation>(3);
        if (report is not null)
            operations.Add(Record(shard, report));
        var isWorkerLost = WorkerFailures.IsLoss(failure);
        // The worker died with all that ran there: who killed it is known only of one that ran alone, or as the only suspect.
        var isToBlame = !isWorkerLost || isAlone || shard.IsSuspect;
        var failures = shard.FailureCount + (isToBlame ? 1 : 0);
        if (failure.Retryable && (!isToBlame || failures < job.Retry.MaxAttempts))
        {
            var backoff = isToBlame ? job.Retry.BackoffAfter(failures) : TimeSpan.Zero;
            operations.Add(
                new LedgerOperation.RequeueShard(
                    shard.Id,
                    shard.Epoch,
                    reason,
                    CountsAsFailure: isToBlame,
                    backoff > TimeSpan.Zero ? backoff : null
                )
            );
            return new ReportVerdict(operations, settled, LeaseEnd.Requeued, EndsJob: false, isWorkerLost);
        }
        if (job.Shape.Kind == JobKind.Train && shard.FirstItem > 0)
            return MemberGivenUp(job, shard, failure);
        var code = failure.Retryable ? JobEndCode.RetriesExhausted : JobEndCode.WorkFailed;
        operations.Add(new LedgerOperation.FailShard(shard.Id, shard.Epoch, reason));
        operations.Add(new LedgerOperation.EndJob(job.Id, JobState.Failed, new JobEnd(code, reason)));
        return new ReportVerdict(operations, settled, LeaseEnd.Failed, EndsJob: true);
    }

    /// <summary>
    /// A further member of a shared training that fails for good leaves its microshards to the others: its item is an
    /// error, and the run goes on. Only the first member's end is the run's.
    /// </summary>
    private static ReportVerdict MemberGivenUp(JobEntry job, ShardEntry shard, ShardFailure failure)
    {
        var error = new ItemResult(
            shard.FirstItem,
            TrainParameters.MemberName(shard.FirstItem),
            Text: null,
            FinishReason: null,
            PromptTokens: 0,
            CompletionTokens: 0,
            failure.Code,
            failure.Message,
            shard.Lease.Device,
            WorkerProcessId: 0,
            shard.FailureCount + 1,
            DurationMilliseconds: 0
        );
        return Finished(job, shard, new ShardReport(shard.Lease, ShardOutcome.Finished, [error], Failure: null));
    }

    private static int LeftAfter(ShardEntry shard, IReadOnlyList<ItemResult> results)
    {
        var left = shard.OpenItems.Count;
        foreach (var result in results)
            left -= shard.OpenItems.Contains(result.Index) ? 1 : 0;
        return left;
    }

    private static string? WhatIsWrong(ShardEntry shard, ShardReport report)
    {
        var seen = report.Results.Count > 1 ? ItemSet.Empty(shard.FirstItem, shard.ItemCount) : null;
        foreach (var result in report.Results)
        {
            if (result.Index < shard.FirstItem || result.Index >= shard.FirstItem + shard.ItemCount)
                return $"The report has a result for item {result.Index}, which is not of the shard.";
            if (seen?.Add(result.Index) == false)
                return $"The report has two results for item {result.Index}.";
            if (result.Text is null == result.ErrorCode is null)
                return $"The result for item {result.Index} is neither a text nor an error.";
        }
        return null;
    }
}
