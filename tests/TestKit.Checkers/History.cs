namespace EgpuFleet.TestKit.Checkers;

/// <summary>How a call ended, as its caller knows. A call that timed out or broke off is indeterminate, never failed.</summary>
public enum CallOutcome
{
    /// <summary>The service said that it is done.</summary>
    Acknowledged = 0,

    /// <summary>The service said that it was not done.</summary>
    Refused = 1,

    /// <summary>Nobody said anything: it may have been done or not.</summary>
    Indeterminate = 2,
}

/// <summary>One attempt to submit a job; the repetition of a call is another one with the same key.</summary>
/// <param name="Key">Idempotency key; null: the caller gave none.</param>
/// <param name="Job">The job it was told; set exactly when the call was acknowledged.</param>
public sealed record SubmitCall(string Tenant, string? Key, string? Job, CallOutcome Outcome);

/// <summary>One attempt to cancel a job.</summary>
/// <param name="State">The job's state in the answer; null without an answer.</param>
public sealed record CancelCall(string Job, JobPhase? State, CallOutcome Outcome);

/// <summary>A job as a reader saw it at one moment.</summary>
/// <param name="SettledItems">Items with a result.</param>
public sealed record JobSighting(string Job, JobPhase State, int SettledItems);

/// <summary>An item's result as a reader saw it at one moment.</summary>
/// <param name="Digest">Of everything that the result says; the same result always has the same.</param>
public sealed record ResultSighting(string Job, int Item, string Digest);

/// <summary>The end of a run: when the last fault was healed, and what was still going on when the wait for it was over.</summary>
/// <param name="Waited">From the last repair to the last job's end, or to giving up.</param>
/// <param name="Bound">How long a healed system may take.</param>
/// <param name="Unfinished">Jobs that were not terminal then.</param>
public sealed record Drain(TimeSpan Waited, TimeSpan Bound, int Unfinished);

/// <summary>
/// What clients of a service saw, each list in the order in which it was seen. Sightings are those of readers that read one
/// after the other, so that time never goes back between two of one job.
/// </summary>
public sealed record History(
    IReadOnlyList<SubmitCall> Submits,
    IReadOnlyList<CancelCall> Cancels,
    IReadOnlyList<JobSighting> Sightings,
    IReadOnlyList<ResultSighting> Results,
    Drain? Drain
)
{
    public static History Empty { get; } = new([], [], [], [], Drain: null);
}
