using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// A job that has started or is about to, and is not terminal, in the leader's memory: what the ledger has said so far, and
/// what is on its way there.
/// </summary>
internal sealed class JobEntry(JobId id, Shape shape, int priority, int itemCount, long submitOrder) : IQueued
{
    public JobId Id { get; } = id;
    public Shape Shape { get; } = shape;
    public int Priority { get; } = priority;
    public int ItemCount { get; } = itemCount;
    public long SubmitOrder { get; } = submitOrder;
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null until it was read; it is known before anything of the job is handed to a device.</summary>
    public JobSpec? Spec { get; set; }

    /// <summary>All its items, while they are kept for its first leases; else they are read from the ledger.</summary>
    public IReadOnlyList<BatchItem>? Items { get; set; }

    /// <summary>Queued while its start is on its way to the ledger, then running or paused.</summary>
    public JobState State { get; set; } = JobState.Queued;
    public DateTimeOffset? StartedAt { get; set; }

    /// <summary>First item that no shard covers, and the number of the next shard, as the ledger has them.</summary>
    public int NextItem { get; set; }
    public int NextShardNumber { get; set; }

    /// <summary>The same, with the shards that are on their way to the ledger.</summary>
    public int PlannedItem { get; set; }
    public int PlannedShardNumber { get; set; }

    /// <summary>Shards that are queued or running.</summary>
    public ShardTable Shards { get; } = new();

    /// <summary>Leases it holds or is about to, as <see cref="Fleet.LeaseBook"/> has them.</summary>
    public int Leases { get; set; }

    /// <summary>Moves of the job on their way to the ledger; nothing of it is planned meanwhile.</summary>
    public int Moves { get; set; }

    /// <summary>A move of the job to a terminal state is on its way to the ledger.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Shards that may be leased beside those that are; before its rules are known, one at all.</summary>
    public int ParallelLeft =>
        Spec is null ? (PlannedShardNumber == 0 ? 1 : 0) : (Spec.Rules.MaxParallel ?? int.MaxValue) - Leases;

    public RetryPolicy Retry => Spec?.Rules.Retry ?? RetryPolicy.Default;

    /// <summary>Every item is covered by a shard, and no shard is left but perhaps <paramref name="but"/> and such as the same transaction finishes.</summary>
    public bool WouldBeDoneWithout(ShardEntry? but)
    {
        if (NextItem != ItemCount)
            return false;
        foreach (var shard in Shards.All)
        {
            if (shard != but && !shard.IsFinishing)
                return false;
        }
        return true;
    }

    /// <summary>A lease could be planned for it now.</summary>
    public bool HasWork(DateTimeOffset now)
    {
        if (IsEnding || Moves > 0 || State is not (JobState.Queued or JobState.Running) || ParallelLeft <= 0)
            return false;
        if (PlannedItem < ItemCount)
            return true;
        foreach (var shard in Shards.All)
        {
            if (shard.IsReady(now))
                return true;
        }
        return false;
    }
}
