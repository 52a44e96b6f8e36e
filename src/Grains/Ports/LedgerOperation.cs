using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Ports;

/// <summary>One durable fact. The ledger appends the job event that belongs to it in the same transaction, if it was applied.</summary>
public abstract record LedgerOperation
{
    private LedgerOperation() { }

    /// <summary>
    /// A new job; its items come with it or are staged. In state held when its rules say so, blocked when a job it depends on
    /// has not ended as it must, else queued. Events: submitted, then held or blocked.
    /// </summary>
    public sealed record SubmitJob(JobSpec Spec, IdempotencyKey? IdempotencyKey, IReadOnlyList<BatchItem>? Items = null)
        : LedgerOperation;

    /// <summary>Queued to running. Event: started.</summary>
    public sealed record StartJob(JobId Id) : LedgerOperation;

    /// <summary>Running to succeeded, if every item has its result. Event: succeeded.</summary>
    public sealed record SucceedJob(JobId Id) : LedgerOperation;

    /// <summary>
    /// From any state that is not terminal to failed or cancelled; its queued and running shards end as cancelled. Event: that
    /// of the new state.
    /// </summary>
    public sealed record EndJob(JobId Id, JobState To, JobEnd End) : LedgerOperation;

    /// <summary>
    /// To failed like <see cref="EndJob"/>, if the database's clock says that the deadline or the run time of the job, whichever
    /// <see cref="JobEnd.Code"/> names, is over.
    /// </summary>
    public sealed record ExpireJob(JobId Id, JobEnd End) : LedgerOperation;

    /// <summary>Queued or blocked to held. Event: held.</summary>
    public sealed record HoldJob(JobId Id) : LedgerOperation;

    /// <summary>Held to queued, or to blocked while a dependency is unmet. Events: released, then perhaps blocked.</summary>
    public sealed record ReleaseJob(JobId Id) : LedgerOperation;

    /// <summary>Running to paused; its running shards become queued under their epochs, so that reports of those are refused. Event: paused.</summary>
    public sealed record PauseJob(JobId Id) : LedgerOperation;

    /// <summary>Paused to running. Event: resumed.</summary>
    public sealed record ResumeJob(JobId Id) : LedgerOperation;

    /// <summary>Blocked to queued, if every dependency has ended as it must. Event: unblocked.</summary>
    public sealed record UnblockJob(JobId Id) : LedgerOperation;

    /// <summary>
    /// A new shard, leased at epoch 1: <c>job.next_item = FirstItem</c> and <c>job.next_shard = Id.Number</c> must still hold
    /// and the job be running. Moves both cursors. Event: shard started, with the note.
    /// </summary>
    public sealed record StartShard(ShardId Id, int FirstItem, int ItemCount, DeviceId Device, string? Note = null)
        : LedgerOperation;

    /// <summary>Leases a queued shard of a running job again: its state must be queued and its epoch <c>Epoch - 1</c>. Event: shard started, with the note.</summary>
    public sealed record RestartShard(ShardId Id, int Epoch, DeviceId Device, string? Note = null) : LedgerOperation;

    /// <summary>Results of a running shard of exactly this epoch; an item that has a result keeps it. Moves the job's item counts. No event.</summary>
    /// <param name="ForgetsFailures">What failed of the shard before counts no more.</param>
    public sealed record RecordResults(
        ShardId Id,
        int Epoch,
        IReadOnlyList<ItemResult> Results,
        bool ForgetsFailures = false
    ) : LedgerOperation;

    /// <summary>Ends a running shard of exactly this epoch as done. Event: shard finished.</summary>
    public sealed record FinishShard(ShardId Id, int Epoch) : LedgerOperation;

    /// <summary>Ends a running shard of exactly this epoch as failed, for good. Event: shard failed.</summary>
    public sealed record FailShard(ShardId Id, int Epoch, string Reason) : LedgerOperation;

    /// <summary>
    /// Takes the lease of a running shard of exactly this epoch back: queued again, under the same epoch, so that reports
    /// of that epoch are refused and the next lease is one higher. Event: shard requeued.
    /// </summary>
    /// <param name="CountsAsFailure">True when the work itself failed there, not the node or the silo.</param>
    /// <param name="Backoff">How long it must wait for its next lease, by database time; null: not at all.</param>
    public sealed record RequeueShard(
        ShardId Id,
        int Epoch,
        string Reason,
        bool CountsAsFailure,
        TimeSpan? Backoff = null
    ) : LedgerOperation;
}

/// <summary>What became of an operation.</summary>
/// <param name="Applied">False: its condition did not hold (fenced out, already so, no such thing) and nothing changed.</param>
/// <param name="ExistingJob">For <see cref="LedgerOperation.SubmitJob"/> refused by its idempotency key: the earlier job.</param>
/// <param name="KeyReused">With <paramref name="ExistingJob"/>: the earlier body was another one.</param>
/// <param name="NewResults">For <see cref="LedgerOperation.RecordResults"/>: indexes that had no result before.</param>
/// <param name="Sequence">Sequence of the last event appended, or 0.</param>
/// <param name="State">State of the job afterwards, for submits and releases.</param>
/// <param name="CreatedAt">For a submit applied: when, by database time.</param>
/// <param name="Dependencies">For submits and releases: the state of each dependency, in the order of the rules; null where there is none of the name, which refuses a submit.</param>
public sealed record LedgerOutcome(
    bool Applied,
    JobId? ExistingJob = null,
    bool KeyReused = false,
    IReadOnlyList<int>? NewResults = null,
    long Sequence = 0,
    JobState State = JobState.Queued,
    DateTimeOffset CreatedAt = default,
    IReadOnlyList<JobState?>? Dependencies = null
);
