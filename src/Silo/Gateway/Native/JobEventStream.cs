using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using Orleans.Runtime;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>
/// One watcher of one job. Protocol: <c>retry</c>, <c>snapshot</c>, then every event after the given sequence in order
/// with its sequence as id, <c>progress</c> whenever the item counts have changed, a comment when nothing else was said
/// for a while, and the end after the terminal event. What is sent comes from the ledger, so nothing uncommitted is ever
/// seen and nothing is skipped; a database or leader that is away for a while only delays it.
/// </summary>
internal sealed class JobEventStream(
    Fleet fleet,
    ILedger ledger,
    ServerSentEvents events,
    TimeProvider time,
    JobId job,
    long afterSequence
)
{
    private const int RetryMilliseconds = 2000;

    private long sent = afterSequence;
    private ItemCounts? counts;
    private long lastFrame;
    private bool ended;
    private Task<bool>? growth;

    public async Task RunAsync(JobInfo snapshot, CancellationToken cancellationToken)
    {
        await events.RetryAsync(RetryMilliseconds, cancellationToken);
        await events.EventAsync("snapshot", null, snapshot, cancellationToken);
        counts = snapshot.Items;
        lastFrame = time.GetTimestamp();
        while (!await TryCatchUpAsync(cancellationToken))
            await WaitAsync(cancellationToken);
    }

    /// <summary>Sends all that is new; true when the job has ended and all was sent.</summary>
    private async Task<bool> TryCatchUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Read the job before its log: what the log then still lacks, a terminal job will never get.
            var record = await ledger.FindJobAsync(job, cancellationToken);
            if (record is null)
                return true;
            await SendProgressAsync(record, cancellationToken);
            IReadOnlyList<JobEvent> lines;
            do
            {
                lines = await ledger.ReadEventsAsync(job, sent, Limits.EventsPerRead, cancellationToken);
                foreach (var line in lines)
                    await SendAsync(line, cancellationToken);
            } while (lines.Count == Limits.EventsPerRead);
            return ended || record.State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
        }
        catch (LedgerUnavailableException)
        {
            return false;
        }
    }

    private async Task SendAsync(JobEvent line, CancellationToken cancellationToken)
    {
        // The last counts come before the event that ends the stream.
        if (line.Kind is JobEventKind.Succeeded or JobEventKind.Failed or JobEventKind.Cancelled)
        {
            if (await ledger.FindJobAsync(job, cancellationToken) is { } record)
                await SendProgressAsync(record, cancellationToken);
            ended = true;
        }
        await events.EventAsync("event", line.Sequence, JobViews.Show(line), cancellationToken);
        sent = line.Sequence;
        lastFrame = time.GetTimestamp();
    }

    private async Task SendProgressAsync(JobRecord record, CancellationToken cancellationToken)
    {
        var shown = JobViews.Show(record);
        if (shown.Items == counts)
            return;
        await events.EventAsync("progress", null, shown, cancellationToken);
        counts = shown.Items;
        lastFrame = time.GetTimestamp();
    }

    /// <summary>Until the pool says that the log has grown, but no longer than the counts may go unseen.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(lastFrame) >= Limits.StreamSilence)
        {
            await events.PingAsync(cancellationToken);
            lastFrame = time.GetTimestamp();
        }
        growth ??= GrownAsync(cancellationToken);
        var tick = Task.Delay(Limits.ProgressInterval, time, cancellationToken);
        if (await Task.WhenAny(tick, growth) == growth)
        {
            var grown = await growth;
            growth = null;
            if (grown)
                return;
        }
        // Also after a pool that failed at once: it must not turn this into a busy loop.
        await tick;
    }

    private async Task<bool> GrownAsync(CancellationToken cancellationToken)
    {
        try
        {
            await fleet.Pool.WaitForEvents(job, sent, cancellationToken);
            return true;
        }
        catch (Exception e)
            when (e is PoolUnavailableException or TimeoutException or OrleansException or OperationCanceledException)
        {
            return false;
        }
    }
}
