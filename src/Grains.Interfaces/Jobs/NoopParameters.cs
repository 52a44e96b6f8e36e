namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>What a no-op does in its worker process before it answers with the payload's digest.</summary>
/// <param name="DurationMilliseconds">How long it takes.</param>
/// <param name="Fault">Obeyed only by workers that were started for rehearsals.</param>
[GenerateSerializer, Immutable, Alias("fleet.NoopParameters")]
public sealed record NoopParameters([property: Id(0)] int DurationMilliseconds, [property: Id(1)] NoopFault Fault);

/// <summary>How a no-op fails on purpose. Stored as its number: append, never renumber.</summary>
public enum NoopFault
{
    None = 0,

    /// <summary>A failure that no other try would change.</summary>
    Fail = 1,

    /// <summary>A failure that is worth another try.</summary>
    FailRetryable = 2,

    /// <summary>Its worker process ends at once.</summary>
    Crash = 3,

    /// <summary>It never answers.</summary>
    Hang = 4,
}
