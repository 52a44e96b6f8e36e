using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// What one committed turn wrote. Its row in <c>leader_turn</c> names its transaction (xmin), and so do the rows it added
/// to the tables that are never updated: events and results.
/// </summary>
internal sealed class LostRows
{
    private const string Turn = "(select t.xmin from leader_turn t where t.pool = $1 and t.epoch = $2 and t.turn = $3)";

    private const string EventsOf = $"""
        select e.job, e.kind, coalesce(e.shard, -1), coalesce(e.epoch, -1), e.seq, e.at, coalesce(s.first_item, -1),
               coalesce(e.item_count, -1)
        from job_event e left join shard s on s.job = e.job and s.number = e.shard
        where e.job = any($4) and e.xmin = {Turn}
        order by e.seq
        """;

    private const string ResultsOf = $"""
        select r.job, r.idx, r.attempt
        from unnest($4::uuid[], $5::int[]) as w (job, idx) join item_result r on r.job = w.job and r.idx = w.idx
        where r.xmin = {Turn}
        """;

    private const string LeasesOf = "select job, number, epoch from shard where job = any($1) and state = 1";

    private const string KeysOf = """
        select w.ord, k.job, k.body_sha256
        from unnest($1::int[], $2::text[], $3::text[]) as w (ord, tenant, key)
          join idempotency_key k on k.tenant = w.tenant and k.key = w.key
        """;

    private const string DependenciesWanted = "select job, nth, depends_on from job_dependency where job = any($1)";

    private const string StatesOf = """
        select id, state from job where id = any($1) union all select id, state from job_archive where id = any($1)
        """;

    private readonly List<Event> _events = [];
    private readonly HashSet<(JobId Job, int Index, int Epoch)> _results = [];
    private readonly HashSet<(ShardId Shard, int Epoch)> _leases = [];
    private readonly Dictionary<int, (JobId Job, string BodySha256)> _earlier = [];
    private readonly List<(JobId Job, int Nth, JobId Target)> _dependencies = [];
    private readonly Dictionary<JobId, JobState> _states = [];
    private ILookup<JobId, Event> _eventsByJob = Enumerable.Empty<Event>().ToLookup(e => e.Job);

    /// <summary>Parts that an event does not have are -1.</summary>
    public sealed record Event(
        JobId Job,
        JobEventKind Kind,
        int Shard,
        int Epoch,
        long Sequence,
        DateTimeOffset At,
        int FirstItem,
        int ItemCount
    )
    {
        public bool IsTaken { get; set; }
    }

    private LostRows() { }

    public static async Task<LostRows> ReadAsync(
        LeaderTerm term,
        long number,
        List<LedgerOperation> operations,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        var rows = new LostRows();
        var jobs = operations.Select(o => LedgerOperations.JobOf(o).Value).Distinct().ToArray();
        object[] turn = [term.Pool.Value, term.Epoch, number];
        await EachAsync(EventsOf, [.. turn, jobs], row => rows._events.Add(EventIn(row)));
        rows._eventsByJob = rows._events.ToLookup(e => e.Job);
        await EachAsync(
            ResultsOf,
            [.. turn, .. ResultsIn(operations)],
            row => rows._results.Add((Job(row, 0), row.GetInt32(1), row.GetInt32(2)))
        );
        await EachAsync(LeasesOf, [jobs], row => rows._leases.Add((Shard(row), row.GetInt32(2))));
        await EachAsync(
            KeysOf,
            KeysIn(operations),
            row => rows._earlier[row.GetInt32(0)] = (Job(row, 1), row.GetString(2))
        );
        await EachAsync(
            DependenciesWanted,
            [jobs],
            row => rows._dependencies.Add((Job(row, 0), row.GetInt16(1), Job(row, 2)))
        );
        var targets = operations
            .OfType<LedgerOperation.SubmitJob>()
            .SelectMany(o => o.Spec.Rules.DependsOn.Select(d => d.Job.Value))
            .Concat(rows._dependencies.Select(d => d.Target.Value))
            .ToArray();
        await EachAsync(StatesOf, [targets], row => rows._states[Job(row, 0)] = (JobState)row.GetInt16(1));
        return rows;

        async Task EachAsync(string sql, object[] values, Action<NpgsqlDataReader> read)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            foreach (var value in values)
                command.Parameters.Add(new() { Value = value });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                read(reader);
        }
    }

    private static object[] ResultsIn(List<LedgerOperation> operations)
    {
        var reports = operations.OfType<LedgerOperation.RecordResults>().ToList();
        return
        [
            reports.SelectMany(o => o.Results.Select(_ => o.Id.Job.Value)).ToArray(),
            reports.SelectMany(o => o.Results.Select(r => r.Index)).ToArray(),
        ];
    }

    private static object[] KeysIn(List<LedgerOperation> operations)
    {
        var keyed = operations
            .Select((o, i) => (Submit: o as LedgerOperation.SubmitJob, Position: i))
            .Where(o => o.Submit?.IdempotencyKey is not null)
            .ToList();
        return
        [
            keyed.Select(o => o.Position).ToArray(),
            keyed.Select(o => LedgerText.Clean(o.Submit!.Spec.Tenant.Value)).ToArray(),
            keyed.Select(o => LedgerText.Clean(o.Submit!.IdempotencyKey!.Key)).ToArray(),
        ];
    }

    /// <summary>The first event of this kind that no operation has taken yet.</summary>
    public Event? Take(JobId job, JobEventKind kind) => TakeFirst(job, e => e.Kind == kind);

    public Event? Take(ShardId shard, JobEventKind kind, int epoch) =>
        TakeFirst(shard.Job, e => (e.Kind, e.Shard, e.Epoch) == (kind, shard.Number, epoch));

    public Event? TakeStart(LedgerOperation.StartShard start) =>
        TakeFirst(
            start.Id.Job,
            e =>
                (e.Kind, e.Shard, e.Epoch) == (JobEventKind.ShardStarted, start.Id.Number, 1)
                && (e.FirstItem, e.ItemCount) == (start.FirstItem, start.ItemCount)
        );

    /// <summary>The event right after another of the same job, if it is of this kind.</summary>
    public Event? TakeNext(Event before, JobEventKind kind)
    {
        var next = _eventsByJob[before.Job].FirstOrDefault(e => e.Sequence > before.Sequence);
        if (next is not { IsTaken: false } || next.Kind != kind)
            return null;
        next.IsTaken = true;
        return next;
    }

    public bool TakeResult(JobId job, int index, int epoch) => _results.Remove((job, index, epoch));

    public bool IsLeased(ShardId shard, int epoch) => _leases.Contains((shard, epoch));

    /// <summary>The job that an idempotency key belongs to now.</summary>
    public (JobId Job, string BodySha256)? EarlierOf(int position) =>
        _earlier.TryGetValue(position, out var earlier) ? earlier : null;

    public IEnumerable<(int Nth, JobId Target)> DependenciesOf(JobId job) =>
        _dependencies.Where(d => d.Job == job).Select(d => (d.Nth, d.Target));

    public JobState? StateOf(JobId job) => _states.TryGetValue(job, out var state) ? state : null;

    private Event? TakeFirst(JobId job, Func<Event, bool> fits)
    {
        var found = _eventsByJob[job].FirstOrDefault(e => !e.IsTaken && fits(e));
        if (found is not null)
            found.IsTaken = true;
        return found;
    }

    private static Event EventIn(NpgsqlDataReader row) =>
        new(
            Job(row, 0),
            (JobEventKind)row.GetInt16(1),
            row.GetInt32(2),
            row.GetInt32(3),
            row.GetInt64(4),
            row.GetFieldValue<DateTimeOffset>(5),
            row.GetInt32(6),
            row.GetInt32(7)
        );

    private static ShardId Shard(NpgsqlDataReader row) => new(Job(row, 0), row.GetInt32(1));

    private static JobId Job(NpgsqlDataReader row, int column) => new(row.GetGuid(column));
}
