using System.Numerics;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>
/// The way of all reports of this agent to the pool. One that comes while nothing is on its way is sent at once; what comes
/// while calls are under way goes together in the next one. A report nobody answers is kept and sent again until its lease
/// ends: sending one twice is harmless, an item has one result and a finished shard is fenced. Calls that fail are made
/// again with fewer reports each, so that one that can never be taken does not hold up the others.
/// <para>A lease has one report at a time here, which keeps the reports of a lease in order.</para>
/// </summary>
internal sealed partial class ReportQueue(IShardReports reports, TimeProvider time, ILogger<ReportQueue> log)
{
    private readonly Lock gate = new();
    private readonly Queue<PendingReport> waiting = new();
    private int calls;
    private int failures;
    private int batchReports = Limits.ReportBatch;
    private long keptBytes;

    /// <summary>Memory held by reports that have not been answered.</summary>
    public long KeptBytes => Interlocked.Read(ref keptBytes);

    /// <summary>Returns when the report is durable.</summary>
    /// <exception cref="OperationCanceledException">The lease ended, or the report was fenced, which ends it.</exception>
    public async Task SendAsync(
        HeldLease lease,
        ShardOutcome outcome,
        IReadOnlyList<ItemResult> results,
        ShardFailure? failure
    )
    {
        var fate = new TaskCompletionSource<ReportFate>(TaskCreationOptions.RunContinuationsAsynchronously);
        Send([new PendingReport(lease, new ShardReport(lease.Key, outcome, results, failure), fate.SetResult)]);
        await fate.Task.WaitAsync(lease.Ended);
        lease.Ended.ThrowIfCancellationRequested();
    }

    /// <summary>Takes reports and returns at once; those of one call go together where they fit.</summary>
    public void Send(IReadOnlyList<PendingReport> batch)
    {
        foreach (var report in batch)
            Interlocked.Add(ref keptBytes, report.Bytes);
        Enqueue(batch);
    }

    private void Enqueue(IReadOnlyList<PendingReport> batch)
    {
        lock (gate)
        {
            foreach (var report in batch)
                waiting.Enqueue(report);
            if (waiting.Count == 0 || calls >= Limits.ReportCalls)
                return;
            calls++;
        }
        _ = Task.Run(CallAsync);
    }

    private async Task CallAsync()
    {
        while (Take() is { } batch)
        {
            ReportReply[] replies;
            try
            {
                replies = await reports.ReportAsync([.. batch.Select(item => item.Report)], CancellationToken.None);
                if (replies.Length != batch.Count)
                    throw new InvalidOperationException($"{replies.Length} replies to {batch.Count} reports.");
            }
            catch (Exception e)
            {
                // Whatever a grain call can throw: no leader, silo gone, time out. Only the lease's end is final.
                await FailedAsync(batch, e);
                continue;
            }
            Answered(batch, replies);
        }
    }

    /// <summary>The next reports to send, or null, and then this caller has ended.</summary>
    private List<PendingReport>? Take()
    {
        while (Dequeue() is { } taken)
        {
            // Outside the lock: ending a lease calls its holder.
            var ready = taken.FindAll(report => report.Lease.Check());
            foreach (var report in taken.Count == ready.Count ? [] : taken.Except(ready))
                _ = ParkAsync(report);
            if (ready.Count > 0)
                return ready;
        }
        return null;
    }

    private List<PendingReport>? Dequeue()
    {
        lock (gate)
        {
            if (waiting.Count == 0)
            {
                calls--;
                return null;
            }
            var taken = new List<PendingReport>();
            var bytes = 0L;
            while (taken.Count < batchReports && bytes < Limits.ReportBatchBytes && waiting.TryDequeue(out var next))
            {
                taken.Add(next);
                bytes += next.Bytes;
            }
            return taken;
        }
    }

    /// <summary>After a sleep a report waits until the pool has confirmed its lease. Never faults.</summary>
    private async Task ParkAsync(PendingReport report)
    {
        try
        {
            await report.Lease.ReadyAsync();
        }
        catch (OperationCanceledException)
        {
            Finish(report, ReportFate.LeaseEnded);
            return;
        }
        Enqueue([report]);
    }

    private void Answered(List<PendingReport> batch, ReportReply[] replies)
    {
        lock (gate)
        {
            failures = 0;
            batchReports = Math.Min(Limits.ReportBatch, batchReports * 2);
        }
        for (var i = 0; i < batch.Count; i++)
        {
            if (replies[i] == ReportReply.Fenced)
                batch[i].Lease.End("it was fenced: another epoch is current");
            Finish(batch[i], replies[i] == ReportReply.Fenced ? ReportFate.LeaseEnded : ReportFate.Accepted);
        }
    }

    private async Task FailedAsync(List<PendingReport> batch, Exception failure)
    {
        TimeSpan wait;
        int attempt;
        lock (gate)
        {
            attempt = ++failures;
            batchReports = Math.Max(1, batchReports / 2);
            var doublings = Math.Min(failures - 1, 10);
            var longest = Limits.ReportRetryMost.Ticks;
            wait = TimeSpan.FromTicks(Math.Min(Limits.ReportRetryFirst.Ticks << doublings, longest));
            foreach (var report in batch)
                waiting.Enqueue(report);
        }
        // An outage of an hour is a dozen lines.
        if (BitOperations.IsPow2(attempt))
            LogRetry(attempt, batch.Count, failure.Message);
        await Task.Delay(wait, time);
    }

    private void Finish(PendingReport report, ReportFate fate)
    {
        Interlocked.Add(ref keptBytes, -report.Bytes);
        report.Done(fate);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} reports were not answered (try {Attempt}): {Reason}")]
    private partial void LogRetry(int attempt, int count, string reason);
}
