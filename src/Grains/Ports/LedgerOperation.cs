using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Ports;

/// <summary>One durable fact. The ledger appends the job event that belongs to it in the same transaction, if it was applied.</summary>
public abstract record LedgerOperation
{
    private LedgerOperation() { }

    /// <summary>A new job in state queued; its items must be staged. Event: submitted.</summary>
    public sealed record SubmitJob(JobSpec Spec, IdempotencyKey? IdempotencyKey) : LedgerOperation;

    /// <summary>
    /// A new shard, leased at epoch 1: <c>job.next_item = FirstItem</c> and <c>job.next_shard = Id.Number</c> must still hold
    /// and the job be queued or running. Moves both cursors. Event: shard started.
    /// </summary>
    public sealed record StartShard(ShardId Id, int FirstItem, int ItemCount, DeviceId Device) : LedgerOperation;

    /// <summary>Leases a queued shard again: its state must be queued and its epoch <c>Epoch - 1</c>. Event: shard started.</summary>
    public sealed record RestartShard(ShardId Id, int Epoch, DeviceId Device) : LedgerOperation;

    /// <summary>Results of a running shard of exactly this epoch; an item that has a result keeps it. Moves the job's item counts. No event.</summary>
    public sealed record RecordResults(ShardId Id, int Epoch, IReadOnlyList<ItemResult> Results) : LedgerOperation;

    /// <summary>Ends a running shard of exactly this epoch as done. Event: shard finished.</summary>
    public sealed record FinishShard(ShardId Id, int Epoch) : LedgerOperation;

    /// <summary>Ends a running shard of exactly this epoch as failed, for good. Event: shard failed.</summary>
    public sealed record FailShard(ShardId Id, int Epoch, string Reason) : LedgerOperation;

    /// <summary>
    /// Takes the lease of a running shard of exactly this epoch back: queued again, under the same epoch, so that reports
    /// of that epoch are refused and the next lease is one higher. Event: shard requeued.
    /// </summary>
    /// <param name="CountsAsFailure">True when the work itself failed there, not the node or the silo.</param>
    public sealed record RequeueShard(ShardId Id, int Epoch, string Reason, bool CountsAsFailure) : LedgerOperation;

    /// <summary>
    /// Moves a job between states if it is in <paramref name="From"/>. To succeeded only when every item has its result;
    /// to failed or cancelled also ends its queued and running shards as cancelled. Event: that of the new state.
    /// </summary>
    public sealed record MoveJob(JobId Id, JobState From, JobState To, string? Reason) : LedgerOperation;
}

/// <summary>What became of an operation.</summary>
/// <param name="Applied">False: its condition did not hold (fenced out, already so, no such thing) and nothing changed.</param>
/// <param name="ExistingJob">For <see cref="LedgerOperation.SubmitJob"/> refused by its idempotency key: the earlier job.</param>
/// <param name="KeyReused">With <paramref name="ExistingJob"/>: the earlier body was another one.</param>
/// <param name="NewResults">For <see cref="LedgerOperation.RecordResults"/>: indexes that had no result before.</param>
/// <param name="Sequence">Sequence of the event appended, or 0.</param>
public sealed record LedgerOutcome(
    bool Applied,
    JobId? ExistingJob = null,
    bool KeyReused = false,
    IReadOnlyList<int>? NewResults = null,
    long Sequence = 0
);
