using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Writing.Statements;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// The order in which a turn's operations are carried out, by slots: a slot is one statement over any number of operations
/// of a kind, a wave is one round through the kinds in the order of a job's life. What touches the same thing keeps its
/// order, by going to a later slot; all else may overtake. A turn in which each job does one thing is one wave.
/// </summary>
internal sealed class LedgerWaves
{
    private readonly Dictionary<JobId, JobSlots> _jobs = [];
    private readonly Dictionary<ShardId, int> _shards = [];
    private readonly Dictionary<(TenantId, string), int> _keys = [];
    private int _last = -1;

    /// <summary>Slots of one wave.</summary>
    public static int Kinds { get; } = Enum.GetValues<StatementKind>().Length;

    /// <summary>Where the last operations on a job went. Shards of a job are independent of each other, not of the job.</summary>
    /// <param name="Whole">The last one on the job as a whole.</param>
    /// <param name="Any">The last one on it or any shard of it.</param>
    /// <param name="Start">The last start of a shard; one that begins at its end joins it.</param>
    private record struct JobSlots(int Whole, int Any, int Start, int NextNumber, int NextItem);

    public static StatementKind KindOf(LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.SubmitJob o when SubmitPlainJobs.IsPlain(o) => StatementKind.SubmitPlainJobs,
            LedgerOperation.SubmitJob => StatementKind.SubmitJobs,
            LedgerOperation.ReleaseJob => StatementKind.ReleaseJobs,
            LedgerOperation.StartJob => StatementKind.StartJobs,
            LedgerOperation.ResumeJob => StatementKind.ResumeJobs,
            LedgerOperation.StartShard => StatementKind.StartShards,
            LedgerOperation.RestartShard => StatementKind.RestartShards,
            LedgerOperation.RecordResults => StatementKind.RecordResults,
            LedgerOperation.FinishShard or LedgerOperation.FailShard => StatementKind.EndShards,
            LedgerOperation.RequeueShard => StatementKind.RequeueShards,
            LedgerOperation.HoldJob => StatementKind.HoldJobs,
            LedgerOperation.PauseJob => StatementKind.PauseJobs,
            LedgerOperation.SucceedJob => StatementKind.SucceedJobs,
            LedgerOperation.EndJob => StatementKind.EndJobs,
            LedgerOperation.ExpireJob => StatementKind.ExpireJobs,
            LedgerOperation.UnblockJob => StatementKind.UnblockJobs,
            _ => throw new ArgumentException($"Unknown operation {operation.GetType().Name}.", nameof(operation)),
        };

    /// <summary>The slot of the turn's next operation.</summary>
    public int Place(LedgerOperation operation, StatementKind kind)
    {
        var slot = operation switch
        {
            LedgerOperation.SubmitJob o => PlaceSubmit(o, kind),
            LedgerOperation.StartShard o => PlaceStart(o, kind),
            LedgerOperation.RestartShard o => PlaceShard(o.Id, kind),
            LedgerOperation.RecordResults o => PlaceShard(o.Id, kind),
            LedgerOperation.FinishShard o => PlaceShard(o.Id, kind),
            LedgerOperation.FailShard o => PlaceShard(o.Id, kind),
            LedgerOperation.RequeueShard o => PlaceShard(o.Id, kind),
            // These two look at other jobs, which may be any.
            LedgerOperation.ReleaseJob o => PlaceJob(o.Id, kind, _last),
            LedgerOperation.UnblockJob o => PlaceJob(o.Id, kind, _last),
            _ => PlaceJob(Grains.Scheduling.LedgerOperations.JobOf(operation), kind, after: -1),
        };
        _last = Math.Max(_last, slot);
        return slot;
    }

    public void Clear()
    {
        _jobs.Clear();
        _shards.Clear();
        _keys.Clear();
        _last = -1;
    }

    private int PlaceSubmit(LedgerOperation.SubmitJob o, StatementKind kind)
    {
        var after = -1;
        foreach (var dependency in o.Spec.Rules.DependsOn)
            after = Math.Max(after, SlotsOf(dependency.Job).Any);
        if (o.IdempotencyKey is { } key)
            after = Math.Max(after, _keys.GetValueOrDefault((o.Spec.Tenant, key.Key), -1));
        var slot = PlaceJob(o.Spec.Id, kind, after);
        if (o.IdempotencyKey is { } used)
            _keys[(o.Spec.Tenant, used.Key)] = slot;
        // It has looked at them: what changes them later comes later.
        foreach (var dependency in o.Spec.Rules.DependsOn)
            _jobs[dependency.Job] = SlotsOf(dependency.Job) with { Any = slot };
        return slot;
    }

    private int PlaceJob(JobId job, StatementKind kind, int after)
    {
        var slots = SlotsOf(job);
        var slot = Next(Math.Max(after, slots.Any), kind);
        _jobs[job] = slots with { Whole = slot, Any = slot };
        return slot;
    }

    private int PlaceStart(LedgerOperation.StartShard o, StatementKind kind)
    {
        var slots = SlotsOf(o.Id.Job);
        var joins = slots.Start > slots.Whole && (slots.NextNumber, slots.NextItem) == (o.Id.Number, o.FirstItem);
        var slot = joins ? slots.Start : Next(Math.Max(slots.Whole, slots.Start), kind);
        _jobs[o.Id.Job] = slots with
        {
            Any = Math.Max(slots.Any, slot),
            Start = slot,
            NextNumber = o.Id.Number + 1,
            NextItem = unchecked(o.FirstItem + o.ItemCount),
        };
        _shards[o.Id] = Math.Max(slot, _shards.GetValueOrDefault(o.Id, -1));
        return slot;
    }

    private int PlaceShard(ShardId shard, StatementKind kind)
    {
        var slots = SlotsOf(shard.Job);
        var last = _shards.GetValueOrDefault(shard, -1);
        // Reports of one shard may share a statement; anything else on it takes its turn.
        var shares = kind == StatementKind.RecordResults && last > slots.Whole && last % Kinds == (int)kind;
        var slot = shares ? last : Next(Math.Max(slots.Whole, last), kind);
        _shards[shard] = slot;
        _jobs[shard.Job] = slots with { Any = Math.Max(slots.Any, slot) };
        return slot;
    }

    private JobSlots SlotsOf(JobId job) => _jobs.TryGetValue(job, out var slots) ? slots : new(-1, -1, -1, 0, 0);

    private static int Next(int after, StatementKind kind)
    {
        var first = after + 1;
        return first + (((int)kind - (first % Kinds) + Kinds) % Kinds);
    }
}
