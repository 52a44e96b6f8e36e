using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Ports;

/// <summary>
/// What belongs to fine-tuning runs beside the ledger's jobs: what was asked for, and what the runs tell of themselves.
/// Calls throw <see cref="LedgerUnavailableException"/> when the database does not answer.
/// </summary>
public interface IFineTuningStore
{
    /// <summary>Keeps what was asked for, before the job is submitted.</summary>
    Task AddAsync(FineTuningRun run, CancellationToken cancellationToken);

    /// <summary>Takes it back: the job was not accepted.</summary>
    Task RemoveAsync(JobId job, CancellationToken cancellationToken);

    /// <summary>Null when there is none of this id.</summary>
    Task<FineTuningRun?> FindAsync(JobId job, CancellationToken cancellationToken);

    /// <summary>Runs whose jobs were accepted, newest first.</summary>
    Task<IReadOnlyList<FineTuningRun>> ListAsync(FineTuningPage page, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps notes of whoever holds a lease; one that is there already (same kind, step and text) changes nothing. Of a run
    /// the first <see cref="Limits.NotesPerRun"/> are kept, and a warning that there were more.
    /// </summary>
    /// <param name="notes">As <see cref="Training.TrainingNoteRules"/> wants them.</param>
    Task<NotesOutcome> NoteAsync(
        ShardId shard,
        int epoch,
        NodeId node,
        IReadOnlyList<TrainingNote> notes,
        CancellationToken cancellationToken
    );

    /// <summary>Lines of a run's ledger log and its notes as one story.</summary>
    Task<IReadOnlyList<FineTuningEvent>> ReadEventsAsync(FineTuningEventPage page, CancellationToken cancellationToken);

    /// <summary>Of each run the metrics of its last steps, newest first, at most <paramref name="limit"/> of each.</summary>
    Task<IReadOnlyDictionary<JobId, IReadOnlyList<FineTuningEvent>>> ReadMetricsAsync(
        IReadOnlyList<JobId> jobs,
        int limit,
        CancellationToken cancellationToken
    );

    /// <summary>Removes runs of at least this age that the ledger knows no more, or never knew; returns how many.</summary>
    Task<int> SweepAsync(TimeSpan minimumAge, CancellationToken cancellationToken);
}

/// <summary>A run as it was asked for; what it does is in its job's spec.</summary>
/// <param name="Metadata">Text pairs of the submitter; null for none.</param>
public sealed record FineTuningRun(
    JobId Job,
    TenantId Tenant,
    IReadOnlyDictionary<string, string>? Metadata,
    FineTuningAsk Ask
);

/// <summary>What only people read: of the choices made for them.</summary>
/// <param name="LearningRateMultiplier">Of the rate that fits the method.</param>
/// <param name="Chosen">Fields that were left to us, with the reason of what was chosen.</param>
public sealed record FineTuningAsk(
    string? Suffix,
    double LearningRateMultiplier,
    IReadOnlyDictionary<string, string> Chosen
);

/// <summary>A page of a tenant's runs; <paramref name="After"/> is the last id of the page before.</summary>
/// <param name="Metadata">Pairs that a run must have; null for any.</param>
public sealed record FineTuningPage(
    TenantId Tenant,
    JobId? After,
    int Limit,
    IReadOnlyDictionary<string, string>? Metadata
);

/// <summary>Where an event stands: in the ledger's log or among the notes, each with its own count.</summary>
public readonly record struct FineTuningEventId(bool IsNote, long Sequence);

/// <summary>A page of events; <paramref name="After"/> is the last one of the page before.</summary>
public sealed record FineTuningEventPage(JobId Job, FineTuningEventId? After, int Limit, bool OldestFirst);

/// <summary>A line of the story: of the ledger's log, or a note; one of the two is set.</summary>
public sealed record FineTuningEvent(FineTuningEventId Id, DateTimeOffset At, JobEvent? Line, TrainingNote? Note);

/// <summary>What became of notes.</summary>
public enum NotesOutcome
{
    Kept = 0,

    /// <summary>The lease is not the current one of its shard, or another node's.</summary>
    Fenced = 1,

    /// <summary>No fine-tuning run has this id.</summary>
    Unknown = 2,
}
