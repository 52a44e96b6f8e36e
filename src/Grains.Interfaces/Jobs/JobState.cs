namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>Where a job is in its life. Stored as its number: append, never renumber.</summary>
public enum JobState
{
    Queued = 0,
    Running = 1,
    Succeeded = 2,
    Failed = 3,
    Cancelled = 4,

    /// <summary>Held back by its owner before it started, until it is released.</summary>
    Held = 5,

    /// <summary>Started, then stopped by its owner until it is resumed; keeps its results and holds no lease.</summary>
    Paused = 6,

    /// <summary>Waits for other jobs to end.</summary>
    Blocked = 7,
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

    /// <summary>Nothing, done by a worker process like anything else: proves and measures the way of a job. One digest per payload.</summary>
    Noop = 1,

    /// <summary>A search for faster kernels of a model on one device of an engine that has such. One item, its result a summary.</summary>
    Tune = 2,

    /// <summary>Fine-tuning of a model. One item for each device that trains it together with the others; its result a summary.</summary>
    Train = 3,
}
