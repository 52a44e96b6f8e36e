using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Ports;

/// <summary>
/// The truth for jobs, shards, leases and results. Reads are free; every write but staging carries the writer's
/// <see cref="LeaderTerm"/> and is refused whole once that term is over. Calls throw <see cref="LedgerUnavailableException"/>
/// when the database does not answer, and nothing is known then about an unfinished write until it is read again.
/// </summary>
public interface ILedger
{
    /// <summary>Takes the leader lease of a pool if it is free or ran out, under a higher epoch; null when another holder has it.</summary>
    Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    );

    /// <summary>Prolongs the lease; returns the database's time, or null when the term is over.</summary>
    Task<DateTimeOffset?> RenewLeadershipAsync(LeaderTerm term, TimeSpan duration, CancellationToken cancellationToken);

    /// <summary>Gives the lease back so that the next leader need not wait; does nothing when the term is over.</summary>
    Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the input of a job before it is submitted, in one transaction: all of it or nothing. The sequence may throw
    /// (a malformed line, say); then nothing is kept. Input never submitted is removed by <see cref="SweepStagedAsync"/>.
    /// </summary>
    /// <returns>The number of items.</returns>
    Task<int> StageItemsAsync(JobId job, IAsyncEnumerable<BatchItem> items, CancellationToken cancellationToken);

    /// <summary>Removes staged input of at least this age that no job refers to; returns how many inputs.</summary>
    Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a list of operations durable in one transaction, together with those of other callers (group commit).
    /// Outcomes come back in the order given; a refused operation changes nothing and does not stop the others.
    /// </summary>
    /// <exception cref="LeaderFencedException">The term is over; nothing of the list was written.</exception>
    Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    );

    /// <summary>Every job that has started and is not terminal, with its shards: what a new leader needs to go on.</summary>
    Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken);

    /// <summary>Every job that has never started (queued, held or blocked), oldest first, streamed: there may be a million.</summary>
    IAsyncEnumerable<QueuedJob> LoadQueuedAsync(PoolId pool, CancellationToken cancellationToken);

    /// <summary>
    /// What devices need for several shards, read at once: in the order asked, each with its job's spec and the items of its
    /// range that have no result yet, up to a number of bytes for each shard (but at least one item).
    /// </summary>
    Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    );

    /// <summary>The items of a range that have no result yet, in order, up to a number of bytes (but at least one).</summary>
    Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    );

    Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken);

    /// <summary>A page of jobs, newest first unless <see cref="JobPageRequest.OldestFirst"/>.</summary>
    Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken);

    /// <summary>Events of a job after a sequence number, in order, at most <paramref name="limit"/>.</summary>
    /// <exception cref="JobArchivedException">There are none any more.</exception>
    Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>The results of a job by item index, streamed; those present when the call is made.</summary>
    /// <exception cref="JobArchivedException">There are none any more.</exception>
    IAsyncEnumerable<ItemResult> ReadResultsAsync(JobId job, CancellationToken cancellationToken);
}

/// <summary>One holder's turn as leader of a pool. Epochs only grow.</summary>
public sealed record LeaderTerm(PoolId Pool, string Holder, long Epoch);

/// <summary>A page of jobs, optionally of one state; <paramref name="After"/> is the last id of the page before.</summary>
public sealed record JobPageRequest(TenantId Tenant, JobState? State, JobId? After, int Limit, bool OldestFirst);

/// <summary>A term that has just begun, and the database's time then.</summary>
public sealed record Leadership(LeaderTerm Term, DateTimeOffset Now);

/// <summary>A job that has started, as a new leader finds it.</summary>
/// <param name="State">Running or paused.</param>
/// <param name="NextItem">First item that no shard covers yet.</param>
/// <param name="Shards">Shards that are queued or running; finished ones are left out.</param>
/// <param name="NextShardNumber">Number for the next new shard.</param>
public sealed record ActiveJob(
    JobSpec Spec,
    JobState State,
    DateTimeOffset CreatedAt,
    int NextItem,
    int NextShardNumber,
    int CompletedItems,
    int FailedItems,
    IReadOnlyList<ActiveShard> Shards,
    DateTimeOffset? StartedAt = null
);

/// <summary>A job that has never started, as little of it as deciding needs; the rest is read when it starts.</summary>
/// <param name="State">Queued, held or blocked.</param>
/// <param name="Model">Null for a kind that needs none.</param>
/// <param name="Dependencies">For a blocked or held job: its dependencies with their states now; else empty.</param>
public sealed record QueuedJob(
    JobId Id,
    JobKind Kind,
    ModelRef? Model,
    int Priority,
    int ItemCount,
    JobState State,
    DateTimeOffset CreatedAt,
    DateTimeOffset? Deadline,
    IReadOnlyList<(JobDependency Dependency, JobState State)> Dependencies,
    DeviceChoice? Devices = null,
    TrainNeeds? Train = null
);

/// <summary>A range of a job's items.</summary>
public readonly record struct WorkRange(JobId Job, int FirstItem, int ItemCount);

/// <summary>A job's spec with the items of a range that have no result yet.</summary>
public sealed record ShardWork(JobSpec Spec, IReadOnlyList<BatchItem> Items);

/// <summary>A shard that is queued or running. <paramref name="Device"/> is that of its last lease.</summary>
/// <param name="NotBefore">Database time before which it must not be leased again; null: any time.</param>
public sealed record ActiveShard(
    ShardId Id,
    int FirstItem,
    int ItemCount,
    ShardState State,
    int Epoch,
    DeviceId? Device,
    int FailureCount,
    DateTimeOffset? NotBefore = null
);

/// <summary>The writer's term is over: another leader has taken the pool.</summary>
public sealed class LeaderFencedException(LeaderTerm term)
    : Exception($"Epoch {term.Epoch} of pool '{term.Pool}' is over: another leader has taken it.");

/// <summary>The ledger does not answer, or not in time, or cannot write now.</summary>
public sealed class LedgerUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What is the matter, as far as it is known.</summary>
    public LedgerFault Fault { get; init; }
}

/// <summary>Why the ledger is not available.</summary>
public enum LedgerFault
{
    /// <summary>Nobody answers; it may have written what was under way.</summary>
    NoAnswer = 0,

    /// <summary>The disk of the database is full: nothing was written, and reads go on. It recovers by itself once there is room.</summary>
    DiskFull = 1,
}

/// <summary>The job has ended so long ago that only its record is left: its results and events are gone.</summary>
public sealed class JobArchivedException(JobId job) : Exception($"{job} is archived: its results and events are gone.")
{
    public JobId Job { get; } = job;
}
