using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>A job that is not terminal, in the leader's memory: what the ledger has said so far, and what is on its way there.</summary>
internal sealed class JobEntry(JobSpec spec, ModelRecord? model, long submitOrder, DateTimeOffset createdAt)
{
    public JobSpec Spec { get; } = spec;
    public ModelRecord? Model { get; } = model;
    public long SubmitOrder { get; } = submitOrder;
    public DateTimeOffset CreatedAt { get; } = createdAt;
    public JobState State { get; set; } = JobState.Queued;
    public int NextItem { get; set; }
    public int NextShardNumber { get; set; }
    public int CompletedItems { get; set; }
    public int FailedItems { get; set; }

    /// <summary>Shards that are queued or running, by number.</summary>
    public Dictionary<int, ShardEntry> Shards { get; } = [];

    /// <summary>A move of the job to a terminal state is on its way to the ledger.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Every item is covered by a shard, and no shard is left but perhaps <paramref name="but"/> and such as are ending.</summary>
    public bool WouldBeDoneWithout(ShardEntry? but) =>
        NextItem == Spec.ItemCount && Shards.Values.All(shard => shard == but || shard.IsFinishing);
}

/// <summary>A shard that is queued or running, in the leader's memory.</summary>
internal sealed class ShardEntry(ShardId id, int firstItem, int itemCount)
{
    public ShardId Id { get; } = id;
    public int FirstItem { get; } = firstItem;
    public int ItemCount { get; } = itemCount;
    public required ShardState State { get; set; }
    public required int Epoch { get; set; }

    /// <summary>Device of the current lease, or of the last one.</summary>
    public required DeviceId? Device { get; set; }
    public int FailureCount { get; set; }

    /// <summary>The device on which the work itself failed last.</summary>
    public DeviceId? FailedOn { get; set; }

    /// <summary>Items without a result, those on their way to the ledger left out.</summary>
    public required HashSet<int> OpenItems { get; init; }

    /// <summary>How many were open when the current lease was granted.</summary>
    public int OpenItemsAtGrant { get; set; }

    /// <summary>The end of its lease is on its way to the ledger; nothing more is decided about it until the answer.</summary>
    public bool IsEnding { get; set; }

    /// <summary>It is ending as done.</summary>
    public bool IsFinishing { get; set; }

    public LeaseKey Lease => new(Id, Epoch, Device ?? throw new InvalidOperationException($"{Id} was never leased."));
}
