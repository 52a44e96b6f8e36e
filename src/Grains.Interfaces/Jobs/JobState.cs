namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>Where a job is in its life. Stored as its number: append, never renumber.</summary>
public enum JobState
{
    Queued = 0,
    Running = 1,
    Succeeded = 2,
    Failed = 3,
    Cancelled = 4,
}

/// <summary>Where a shard is in its life. Stored as its number: append, never renumber.</summary>
public enum ShardState
{
    /// <summary>Waiting for a device; its epoch is that of its last lease.</summary>
    Queued = 0,

    /// <summary>Leased under the current epoch.</summary>
    Running = 1,
    Done = 2,
    Failed = 3,
    Cancelled = 4,
}

/// <summary>What a job does. Stored as its number: append, never renumber.</summary>
public enum JobKind
{
    /// <summary>Batch inference: one result per prompt.</summary>
    Batch = 0,
}
