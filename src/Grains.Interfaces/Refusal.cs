namespace EgpuFleet.Grains.Interfaces;

/// <summary>A typed reason why not now: a normal value, never an exception.</summary>
/// <param name="Code">What kind of reason; stable, clients switch on it.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Action">What would change it; null when there is nothing to do but wait.</param>
/// <param name="BlockedBy">The job that is in the way, where it is one.</param>
[GenerateSerializer, Immutable, Alias("fleet.Refusal")]
public sealed record Refusal(
    [property: Id(0)] RefusalCode Code,
    [property: Id(1)] string Message,
    [property: Id(2)] string? Action = null,
    [property: Id(3)] JobId? BlockedBy = null
);

/// <summary>The reasons this build can give. Names are part of the public API.</summary>
public enum RefusalCode
{
    /// <summary>No ready device of any kind is in the pool.</summary>
    NoMatchingDevice,

    /// <summary>The model does not fit the memory of any device of the pool, busy or not.</summary>
    ModelTooLarge,

    /// <summary>It would fit a device, but not beside what is loaded there now.</summary>
    WaitingForGpuMemory,

    /// <summary>Every device that fits runs a shard of a job that comes first.</summary>
    WaitingForPriority,

    /// <summary>No model of that name is registered.</summary>
    ModelNotFound,

    /// <summary>The device already runs a shard, or its slots are full.</summary>
    DeviceBusy,

    /// <summary>The node is draining, starting or gone.</summary>
    NodeDraining,

    /// <summary>The caller's lease or request is of an earlier epoch than the current one.</summary>
    Fenced,

    /// <summary>A limit of this build would be exceeded.</summary>
    TooLarge,

    /// <summary>Its owner holds it back.</summary>
    OnHold,

    /// <summary>Its owner has paused it.</summary>
    JobPaused,

    /// <summary>A job it depends on has not ended.</summary>
    WaitingForDependency,

    /// <summary>It failed and waits before its next try.</summary>
    BackingOff,

    /// <summary>As many of its shards run as may at once.</summary>
    MaxParallelReached,

    /// <summary>It is to wait for a job that does not exist.</summary>
    UnknownDependency,

    /// <summary>The pool holds as many jobs as it can; it will take more when some have ended.</summary>
    PoolFull,
}
