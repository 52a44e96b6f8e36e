using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>What each operation does to the jobs; the caller holds the lock and has checked the leader's term.</summary>
internal sealed class InMemoryOperations
{
    private static readonly LedgerOutcome Refused = new(Applied: false);

    private readonly Dictionary<(TenantId, string), (string BodySha256, JobId Job)> _keys = [];
    private long _sequence;

    public Dictionary<JobId, InMemoryJob> Jobs { get; } = [];

    public LedgerOutcome Apply(
        PoolId pool,
        LedgerOperation operation,
        Func<JobId, IReadOnlyList<BatchItem>?> staged,
        DateTimeOffset now
    ) =>
        operation switch
        {
            LedgerOperation.SubmitJob o => Submit(pool, o, staged, now),
            LedgerOperation.StartShard o => Start(o, now),
            LedgerOperation.RestartShard o => Restart(o, now),
            LedgerOperation.RecordResults o => Record(o),
            LedgerOperation.FinishShard o => End(
                o.Id,
                o.Epoch,
                ShardState.Done,
                JobEventKind.ShardFinished,
                message: null,
                now
            ),
            LedgerOperation.FailShard o => End(
                o.Id,
                o.Epoch,
                ShardState.Failed,
                JobEventKind.ShardFailed,
                o.Reason,
                now
            ),
            LedgerOperation.RequeueShard o => Requeue(o, now),
            _ when FindJob(pool, LedgerOperations.JobOf(operation)) is { } job => InMemoryJobMoves.Apply(
                job,
                operation,
                Jobs,
                now,
                Log
            ),
            LedgerOperation.StartJob or LedgerOperation.SucceedJob or LedgerOperation.EndJob => Refused,
            LedgerOperation.ExpireJob or LedgerOperation.UnblockJob => Refused,
            LedgerOperation.HoldJob or LedgerOperation.ReleaseJob => Refused,
            LedgerOperation.PauseJob or LedgerOperation.ResumeJob => Refused,
            _ => throw new ArgumentException($"Unknown operation {operation.GetType().Name}.", nameof(operation)),
        };

    private LedgerOutcome Submit(
        PoolId pool,
        LedgerOperation.SubmitJob o,
        Func<JobId, IReadOnlyList<BatchItem>?> staged,
        DateTimeOffset now
    )
    {
        var key = o.IdempotencyKey;
        if (key is not null && _keys.TryGetValue((o.Spec.Tenant, key.Key), out var earlier))
            return new LedgerOutcome(Applied: false, earlier.Job, KeyReused: earlier.BodySha256 != key.BodySha256);
        var items = o.Items ?? staged(o.Spec.Id);
        if (items?.Count != o.Spec.ItemCount || Jobs.ContainsKey(o.Spec.Id))
            return Refused;
        var dependencies = InMemoryJobMoves.Dependencies(o.Spec, Jobs);
        if (dependencies.Contains(null))
            return Refused with { Dependencies = dependencies };
        var job = new InMemoryJob(pool, o.Spec, now) { Items = items };
        Jobs.Add(o.Spec.Id, job);
        if (key is not null)
            _keys.Add((o.Spec.Tenant, key.Key), (key.BodySha256, o.Spec.Id));
        var outcome = Log(job, new JobEvent(0, now, JobEventKind.Submitted, null, null, null, o.Spec.ItemCount, null));
        if (o.Spec.Rules.StartsHeld)
            outcome = InMemoryJobMoves.Move(job, JobState.Held, JobEventKind.Held, now, Log);
        else if (!InMemoryJobMoves.AreMet(o.Spec, Jobs))
            outcome = InMemoryJobMoves.Move(job, JobState.Blocked, JobEventKind.Blocked, now, Log);
        return outcome with { State = job.State, CreatedAt = now, Dependencies = dependencies };
    }

    private LedgerOutcome Start(LedgerOperation.StartShard o, DateTimeOffset now)
    {
        if (!Jobs.TryGetValue(o.Id.Job, out var job) || job.State != JobState.Running)
            return Refused;
        var fits = job.NextItem == o.FirstItem && o.FirstItem + o.ItemCount <= job.Spec.ItemCount;
        if (!fits || job.Shards.Count != o.Id.Number)
            return Refused;
        job.NextItem += o.ItemCount;
        var shard = new InMemoryShard(o.FirstItem, o.ItemCount, o.Device);
        job.Shards.Add(shard);
        return Log(job, Event(JobEventKind.ShardStarted, o.Id, shard, o.Note, now));
    }

    private LedgerOutcome Restart(LedgerOperation.RestartShard o, DateTimeOffset now)
    {
        if (Find(o.Id) is not ({ State: JobState.Running } job, { State: ShardState.Queued } shard))
            return Refused;
        if (shard.Epoch != o.Epoch - 1 || shard.NotBefore > now)
            return Refused;
        (shard.State, shard.Epoch, shard.Device) = (ShardState.Running, o.Epoch, o.Device);
        return Log(job, Event(JobEventKind.ShardStarted, o.Id, shard, o.Note, now));
    }

    private LedgerOutcome Record(LedgerOperation.RecordResults o)
    {
        if (Find(o.Id) is not ({ } job, { } shard) || !shard.IsLeasedAt(o.Epoch))
            return Refused;
        if (!o.Results.All(result => shard.Covers(result.Index)))
            return Refused;
        var added = new List<int>();
        foreach (var result in o.Results)
        {
            if (job.Results.TryAdd(result.Index, result with { Attempt = o.Epoch }))
                added.Add(result.Index);
        }
        added.Sort();
        shard.FailureCount = o.ForgetsFailures ? 0 : shard.FailureCount;
        return new LedgerOutcome(Applied: true, NewResults: added);
    }

    private LedgerOutcome End(
        ShardId id,
        int epoch,
        ShardState state,
        JobEventKind kind,
        string? message,
        DateTimeOffset now
    )
    {
        if (Find(id) is not ({ } job, { } shard) || !shard.IsLeasedAt(epoch))
            return Refused;
        shard.State = state;
        return Log(job, Event(kind, id, shard, message, now));
    }

    private LedgerOutcome Requeue(LedgerOperation.RequeueShard o, DateTimeOffset now)
    {
        if (Find(o.Id) is not ({ } job, { } shard) || !shard.IsLeasedAt(o.Epoch))
            return Refused;
        shard.State = ShardState.Queued;
        shard.FailureCount += o.CountsAsFailure ? 1 : 0;
        shard.NotBefore = now + o.Backoff;
        return Log(job, Event(JobEventKind.ShardRequeued, o.Id, shard, o.Reason, now));
    }

    private InMemoryJob? FindJob(PoolId pool, JobId id) =>
        Jobs.TryGetValue(id, out var job) && job.Pool == pool ? job : null;

    private (InMemoryJob?, InMemoryShard?) Find(ShardId id) =>
        Jobs.TryGetValue(id.Job, out var job) && id.Number >= 0 && id.Number < job.Shards.Count
            ? (job, job.Shards[id.Number])
            : (null, null);

    private LedgerOutcome Log(InMemoryJob job, JobEvent entry)
    {
        var sequence = ++_sequence;
        job.Events.Add(entry with { Sequence = sequence });
        return new LedgerOutcome(Applied: true, Sequence: sequence);
    }

    private static JobEvent Event(
        JobEventKind kind,
        ShardId id,
        InMemoryShard shard,
        string? message,
        DateTimeOffset now
    ) => new(0, now, kind, id.Number, shard.Epoch, shard.Device, shard.ItemCount, message);
}
