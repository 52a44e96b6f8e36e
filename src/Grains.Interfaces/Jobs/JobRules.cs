using EgpuFleet.Grains.Interfaces.Fleet;

namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>When a job may run, how long, and how often it is tried.</summary>
/// <param name="DependsOn">Jobs that must end first; each of them exists.</param>
/// <param name="Deadline">By database time; a job not done by then has failed.</param>
/// <param name="MaxRunTime">From its first start by database time; a job that runs longer has failed.</param>
/// <param name="MaxParallel">Shards of the job that may run at once; null: as many as fit.</param>
/// <param name="StartsHeld">It waits for its release from the start.</param>
/// <param name="Devices">On what kind of device it may run; null: on any.</param>
[GenerateSerializer, Immutable, Alias("fleet.JobRules")]
public sealed record JobRules(
    [property: Id(0)] IReadOnlyList<JobDependency> DependsOn,
    [property: Id(1)] DateTimeOffset? Deadline,
    [property: Id(2)] TimeSpan? MaxRunTime,
    [property: Id(3)] RetryPolicy Retry,
    [property: Id(4)] int? MaxParallel,
    [property: Id(5)] bool StartsHeld,
    [property: Id(6)] DeviceChoice? Devices = null
)
{
    /// <summary>No conditions, the usual number of tries.</summary>
    public static readonly JobRules Default = new([], null, null, RetryPolicy.Default, null, StartsHeld: false);
}

/// <summary>A job that must end before another may start.</summary>
[GenerateSerializer, Immutable, Alias("fleet.JobDependency")]
public sealed record JobDependency([property: Id(0)] JobId Job, [property: Id(1)] DependencyCondition Condition);

/// <summary>How a dependency must end. Stored as its number: append, never renumber.</summary>
public enum DependencyCondition
{
    /// <summary>It must succeed; if it does not, neither does the job that waits for it.</summary>
    AfterOk = 0,

    /// <summary>It must end, however.</summary>
    AfterAny = 1,
}

/// <summary>How often failing work is tried, and how long each further try waits. A node that is lost does not count as a try.</summary>
/// <param name="MaxAttempts">Tries of one shard, the first included; at least 1.</param>
/// <param name="Backoff">Wait before the second try; doubles with each further one.</param>
/// <param name="MaxBackoff">The longest wait.</param>
[GenerateSerializer, Immutable, Alias("fleet.RetryPolicy")]
public sealed record RetryPolicy(
    [property: Id(0)] int MaxAttempts,
    [property: Id(1)] TimeSpan Backoff,
    [property: Id(2)] TimeSpan MaxBackoff
)
{
    /// <summary>One bad device or two cannot use the tries up alone; no wait, since another device takes it.</summary>
    public static readonly RetryPolicy Default = new(5, TimeSpan.Zero, TimeSpan.FromMinutes(1));

    /// <summary>The wait after so many failures, at least 1.</summary>
    public TimeSpan BackoffAfter(int failures)
    {
        if (Backoff <= TimeSpan.Zero)
            return TimeSpan.Zero;
        var wait = Backoff * Math.Pow(2, Math.Clamp(failures - 1, 0, 30));
        return wait < MaxBackoff ? wait : MaxBackoff;
    }
}
