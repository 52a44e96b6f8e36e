using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>Why a job is looked at when a time has come.</summary>
internal enum DueKind : byte
{
    Deadline,
    RunTime,

    /// <summary>A shard of it has waited long enough after a failure.</summary>
    Backoff,
}

/// <summary>Times by the database's clock at which jobs are to be looked at. A job that has ended by then is passed over.</summary>
internal sealed class DueTimes
{
    private readonly PriorityQueue<(JobId Job, DueKind Kind), long> queue = new();

    public int Count => queue.Count;

    /// <summary>Forgets the times of jobs that have ended, of which there may be many more than of others.</summary>
    public void Prune(Func<JobId, bool> isActive)
    {
        var kept = queue.UnorderedItems.Where(item => isActive(item.Element.Job)).ToList();
        queue.Clear();
        queue.EnqueueRange(kept);
    }

    public void Add(JobId job, DueKind kind, DateTimeOffset at) => queue.Enqueue((job, kind), at.UtcTicks);

    /// <summary>Takes out the next one that is due, if any is.</summary>
    public bool TryTake(DateTimeOffset now, out JobId job, out DueKind kind)
    {
        (job, kind) = (default, default);
        if (!queue.TryPeek(out _, out var ticks) || ticks > now.UtcTicks)
            return false;
        (job, kind) = queue.Dequeue();
        return true;
    }
}
