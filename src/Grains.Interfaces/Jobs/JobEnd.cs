namespace EgpuFleet.Grains.Interfaces.Jobs;

/// <summary>Why a job failed or was cancelled.</summary>
/// <param name="Code">What kind of end; stable, clients switch on it.</param>
/// <param name="Message">One sentence for a person.</param>
[GenerateSerializer, Immutable, Alias("fleet.JobEnd")]
public sealed record JobEnd([property: Id(0)] JobEndCode Code, [property: Id(1)] string Message);

/// <summary>The ways a job ends without success. Stored as its number: append, never renumber.</summary>
public enum JobEndCode
{
    /// <summary>By its owner.</summary>
    Cancelled = 1,

    /// <summary>The work failed in a way that another try would not change.</summary>
    WorkFailed = 2,

    /// <summary>The work failed as often as its retry policy allows.</summary>
    RetriesExhausted = 3,

    /// <summary>Its deadline passed before it was done.</summary>
    DeadlineExceeded = 4,

    /// <summary>It ran longer than it may.</summary>
    RunTimeExceeded = 5,

    /// <summary>A job that had to succeed before it did not.</summary>
    DependencyFailed = 6,
}
