using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Serving;

namespace EgpuFleet.Grains.Interfaces.Scheduling;

/// <summary>
/// The scheduler of a pool. Its activation holds the pool's leader lease in Postgres; whatever Orleans believes, a
/// second activation cannot write. Key: the pool id. Reentrant; every write goes through the ledger's group commit.
/// </summary>
[Alias("fleet.IPool")]
public interface IPoolGrain : IGrainWithStringKey
{
    /// <summary>Wakes the scheduler; called by every control silo every few seconds so that a pool is never without one.</summary>
    [Alias("EnsureLeading")]
    Task EnsureLeading();

    /// <summary>
    /// Makes a job durable with its items, which come with it when they are few and small, and are staged before otherwise.
    /// When this accepts it, the job will not be lost.
    /// </summary>
    /// <exception cref="PoolUnavailableException">No leader, or the database does not answer; try again.</exception>
    [Alias("Submit")]
    Task<SubmitReply> Submit(SubmitRequest request);

    /// <summary>Several submits in one call, each with its own outcome, in order; durable together where they fit.</summary>
    /// <exception cref="PoolUnavailableException">No leader, or the database does not answer: any of them may be durable.</exception>
    [Alias("SubmitMany")]
    Task<SubmitReply[]> SubmitMany(SubmitRequest[] requests);

    /// <summary>Cancels a job in any state; null when there is no such job.</summary>
    [Alias("Cancel")]
    Task<JobRecord?> Cancel(JobId job);

    /// <summary>Holds back, releases, pauses or resumes a job.</summary>
    [Alias("Steer")]
    Task<SteerReply> Steer(JobId job, JobSteering steering);

    /// <summary>What a device says of its leases, answered in order. What is answered with accepted is durable.</summary>
    [Alias("Report")]
    Task<ReportReply[]> Report(ShardReport[] reports);

    /// <summary>An agent's sign of life; renews its leases in the leader's memory.</summary>
    [Alias("Heartbeat")]
    Task<HeartbeatReply> Heartbeat(NodeHeartbeat heartbeat);

    /// <summary>All nodes heard of since the leader started, with their devices.</summary>
    [Alias("GetFleet")]
    Task<IReadOnlyList<NodeView>> GetFleet();

    /// <summary>For each job that waits, why; jobs that do not wait are left out.</summary>
    [Alias("ExplainWaiting")]
    Task<IReadOnlyDictionary<JobId, Refusal>> ExplainWaiting(IReadOnlyList<JobId> jobs);

    /// <summary>Chooses the device that should serve an interactive request now.</summary>
    [Alias("Route")]
    Task<RouteReply> Route(RouteRequest request);

    /// <summary>Returns when the job's log has grown past a sequence, or after ten seconds; the caller reads the ledger then.</summary>
    [Alias("WaitForEvents")]
    Task WaitForEvents(JobId job, long afterSequence, CancellationToken cancellationToken = default);
}

/// <summary>A job to make durable.</summary>
/// <param name="Items">The items, for a job whose items are few and small; null when they are staged.</param>
[GenerateSerializer, Immutable, Alias("fleet.SubmitRequest")]
public sealed record SubmitRequest(
    [property: Id(0)] JobSpec Spec,
    [property: Id(1)] IdempotencyKey? IdempotencyKey,
    [property: Id(2)] IReadOnlyList<BatchItem>? Items
);

/// <summary>The outcome of a submit: accepted (possibly as a replay of an earlier one), or refused.</summary>
/// <param name="State">Of a job accepted now.</param>
/// <param name="CreatedAt">Of a job accepted now, by database time.</param>
[GenerateSerializer, Immutable, Alias("fleet.SubmitReply")]
public sealed record SubmitReply(
    [property: Id(0)] SubmitOutcome Outcome,
    [property: Id(1)] JobId Job,
    [property: Id(2)] Refusal? Refusal = null,
    [property: Id(3)] JobState State = JobState.Queued,
    [property: Id(4)] DateTimeOffset CreatedAt = default
);

/// <summary>What an owner does with a job that is not over.</summary>
public enum JobSteering
{
    /// <summary>Keeps a job that has not started from starting.</summary>
    Hold = 0,
    Release = 1,

    /// <summary>Stops a running job; its results stay.</summary>
    Pause = 2,
    Resume = 3,
}

/// <summary>The outcome of a steering.</summary>
/// <param name="Job">As it is now; null when there is no such job.</param>
/// <param name="Applied">False: its state does not allow it; a job that is already so counts as applied.</param>
[GenerateSerializer, Immutable, Alias("fleet.SteerReply")]
public sealed record SteerReply([property: Id(0)] JobRecord? Job, [property: Id(1)] bool Applied);

public enum SubmitOutcome
{
    Accepted = 0,

    /// <summary>The idempotency key was used with the same body: the job is the earlier one.</summary>
    Replayed = 1,

    /// <summary>The idempotency key was used with another body.</summary>
    KeyReused = 2,
    Refused = 3,
}

/// <summary>Asks for a device for one request, leaving out those that just failed.</summary>
/// <param name="PromptTokens">About how long the prompt is.</param>
/// <param name="OutputTokens">The most the answer may have; null: as long as it gets.</param>
/// <param name="Choice">On what kind of device; null: any.</param>
/// <param name="IsSteered">The answer is held to a grammar, or its tokens are weighed: not every engine does that.</param>
[GenerateSerializer, Immutable, Alias("fleet.RouteRequest")]
public sealed record RouteRequest(
    [property: Id(0)] Models.ModelRecord Model,
    [property: Id(1)] IReadOnlyList<DeviceId> Except,
    [property: Id(2)] int PromptTokens = 0,
    [property: Id(3)] int? OutputTokens = null,
    [property: Id(4)] DeviceChoice? Choice = null,
    [property: Id(5)] bool IsSteered = false
);

/// <summary>Either a placement or a refusal.</summary>
[GenerateSerializer, Immutable, Alias("fleet.RouteReply")]
public sealed record RouteReply([property: Id(0)] RoutePlacement? Placement, [property: Id(1)] Refusal? Refusal);

/// <summary>Where a request goes, and why there.</summary>
/// <param name="Kind">What the device is; null where only its id is known.</param>
/// <param name="Engine">Of the device's worker; null where only its id is known.</param>
/// <param name="PredictedSeconds">Until its last token, by what was measured of the device; null before that.</param>
/// <param name="Fallback">Why it is not the kind of device preferred; null where it is, or none was.</param>
[GenerateSerializer, Immutable, Alias("fleet.RoutePlacement")]
public sealed record RoutePlacement(
    [property: Id(0)] DeviceId Device,
    [property: Id(1)] DeviceKind? Kind = null,
    [property: Id(2)] string? Engine = null,
    [property: Id(3)] double? PredictedSeconds = null,
    [property: Id(4)] string? Fallback = null
);

/// <summary>The pool cannot answer now: no leader yet, or the ledger does not answer. Always worth a retry.</summary>
[GenerateSerializer, Alias("fleet.PoolUnavailable")]
public sealed class PoolUnavailableException(string message) : Exception(message);
