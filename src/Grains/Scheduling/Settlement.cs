using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>A verdict about a running shard on its way to the ledger, and what was noted of it in memory meanwhile.</summary>
/// <param name="answer">Told whether the ledger took it.</param>
/// <param name="rejected">Told when the ledger cannot store it at all; null where that ends the turn.</param>
internal sealed class Settlement(
    JobEntry? job,
    ShardEntry? shard,
    ReportVerdict verdict,
    Action<bool> answer,
    Action<Exception>? rejected
)
{
    private List<int>? settled;

    /// <summary>The shard, unless the report came when it ran no more.</summary>
    public ShardEntry? Shard => shard;
    public IReadOnlyList<LedgerOperation> Operations => verdict.Operations;
    public Action<Exception>? Rejected => rejected;

    public void Answer(bool isAccepted) => answer(isAccepted);

    /// <summary>Notes that it is on its way.</summary>
    public void Begin()
    {
        if (job is null || shard is null)
            return;
        foreach (var result in verdict.Settled)
        {
            if (shard.OpenItems.Remove(result.Index))
                (settled ??= []).Add(result.Index);
        }
        shard.IsEnding = verdict.End != LeaseEnd.None;
        shard.IsFinishing = verdict.End == LeaseEnd.Finished;
        shard.IsSuspect |= verdict.MakesSuspect;
        job.IsEnding |= verdict.EndsJob;
    }

    /// <summary>
    /// Its transaction is complete. Whether that is stored is not known, while a later one may be: nothing later may take the
    /// shard for finished before the answer.
    /// </summary>
    public void Sent()
    {
        if (shard is not null)
            shard.IsFinishing = false;
    }

    /// <summary>It is back. The outcomes are those of its own operations.</summary>
    public void End(bool isApplied, bool isLastApplied)
    {
        if (job is null || shard is null)
            return;
        shard.IsEnding = false;
        // A move that was refused leaves the job to its other shards, or to the check after every commit.
        if (verdict.EndsJob && !isLastApplied)
            job.IsEnding = false;
        if (!isApplied)
            Reopen();
    }

    /// <summary>It was not stored: memory is as before.</summary>
    public void Undo() => End(isApplied: false, isLastApplied: false);

    // The job was paused, or the results cannot be stored: the items are to be done again.
    private void Reopen()
    {
        foreach (var item in settled ?? [])
            shard!.OpenItems.Add(item);
    }
}
