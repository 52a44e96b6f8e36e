namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>A job as the ledger knows it now.</summary>
/// <param name="CompletedItems">Items with a text.</param>
/// <param name="FailedItems">Items with an error.</param>
/// <param name="End">Why it failed or was cancelled; null otherwise.</param>
[GenerateSerializer, Immutable, Alias("fleet.JobRecord")]
public sealed record JobRecord(
    [property: Id(0)] JobSpec Spec,
    [property: Id(1)] JobState State,
    [property: Id(2)] int CompletedItems,
    [property: Id(3)] int FailedItems,
    [property: Id(4)] DateTimeOffset CreatedAt,
    [property: Id(5)] DateTimeOffset? StartedAt,
    [property: Id(6)] DateTimeOffset? FinishedAt,
    [property: Id(7)] JobEnd? End
);

/// <summary>What can be read in a job's log.</summary>
public enum JobEventKind
{
    Submitted = 0,
    Started = 1,
    ShardStarted = 2,
    ShardFinished = 3,
    ShardRequeued = 4,
    ShardFailed = 5,
    Succeeded = 6,
    Failed = 7,
    Cancelled = 8,
    Held = 9,
    Released = 10,
    Paused = 11,
    Resumed = 12,

    /// <summary>It waits for jobs that have not ended.</summary>
    Blocked = 13,

    /// <summary>Every job it waited for has ended as it should.</summary>
    Unblocked = 14,
}

/// <summary>One line of a job's log. <paramref name="Sequence"/> grows with commit order over all jobs of the ledger.</summary>
[GenerateSerializer, Immutable, Alias("fleet.JobEvent")]
public sealed record JobEvent(
    [property: Id(0)] long Sequence,
    [property: Id(1)] DateTimeOffset At,
    [property: Id(2)] JobEventKind Kind,
    [property: Id(3)] int? Shard,
    [property: Id(4)] int? Epoch,
    [property: Id(5)] DeviceId? Device,
    [property: Id(6)] int? ItemCount,
    [property: Id(7)] string? Message
);
