using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>
/// Results of running shards of exactly their epoch; an item that has a result keeps it. Any number of reports of one shard
/// go into one statement: who reported an item first is told so.
/// </summary>
internal sealed class RecordResults : LedgerStatement
{
    /// <summary><c>low</c> and <c>high</c>: lowest and highest index of a report, which must lie in the shard.</summary>
    private const string Sql = """
        with lease as materialized (
          select op.ord, op.job, op.number, op.forgets
          from unnest($1::int[], $2::uuid[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bool[])
              as op (ord, job, number, epoch, low, high, forgets)
            join shard s on s.job = op.job and s.number = op.number
          where s.state = 1 and s.epoch = op.epoch
            and op.low >= s.first_item and op.high < s.first_item::bigint + s.item_count
        ), fresh as (
          insert into item_result (job, idx, failed, attempt, device, worker_process_id, prompt_tokens,
                                   completion_tokens, duration_ms, body)
          select r.job, r.idx, r.failed, r.attempt, r.device, r.process, r.prompt, r.completion, r.duration, r.body
          from unnest($8::int[], $9::uuid[], $10::int[], $11::bool[], $12::int[], $13::text[], $14::int[], $15::int[],
                      $16::int[], $17::int[], $18::json[])
            as r (ord, job, idx, failed, attempt, device, process, prompt, completion, duration, body)
          -- "is true" keeps the look-up a hash table; a join of two sets without statistics could be a nested loop.
          where (r.ord in (select ord from lease)) is true
          on conflict do nothing
          returning job, idx, attempt, failed
        ), counted as (
          update job j
          set completed_items = j.completed_items + n.completed, failed_items = j.failed_items + n.failed
          from (
            select job, count(*) filter (where not failed)::int as completed, count(*) filter (where failed)::int as failed
            from fresh
            group by job
          ) n
          where j.id = n.job
        ), forgiven as (
          update shard s
          set failure_count = 0
          from (select distinct job, number from lease where forgets) l
          where s.job = l.job and s.number = l.number and s.failure_count > 0
        )
        select ord, null::uuid, 0, 0 from lease
        union all
        select -1, job, idx, attempt from fresh
        """;

    /// <summary>Who named an item first, by job, index and epoch.</summary>
    private readonly Dictionary<(Guid Job, int Index, int Epoch), int> _firsts = [];
    private readonly List<(int Position, LedgerOperation.RecordResults Report)> _reports = [];
    private readonly Dictionary<int, List<int>> _fresh = [];

    private readonly ArrayColumn<int> _ordinals;
    private readonly ArrayColumn<Guid> _jobs;
    private readonly ArrayColumn<int> _numbers;
    private readonly ArrayColumn<int> _epochs;
    private readonly ArrayColumn<int> _lows;
    private readonly ArrayColumn<int> _highs;
    private readonly ArrayColumn<bool> _forgets;
    private readonly ResultColumns _results;

    public RecordResults()
        : base(Sql, takesPool: false)
    {
        (_ordinals, _jobs, _numbers, _epochs, _lows, _highs) = (Ints(), Uuids(), Ints(), Ints(), Ints(), Ints());
        _forgets = Column<bool>(NpgsqlDbType.Boolean);
        _results = new ResultColumns
        {
            Ordinals = Ints(),
            Jobs = Uuids(),
            Indexes = Ints(),
            Failed = Column<bool>(NpgsqlDbType.Boolean),
            Attempts = Ints(),
            Devices = Texts(),
            Processes = Ints(),
            PromptTokens = Ints(),
            CompletionTokens = Ints(),
            Durations = Ints(),
            Bodies = Jsons(),
        };
    }

    public override void Add(LedgerOperation operation, int position)
    {
        var report = (LedgerOperation.RecordResults)operation;
        var (low, high) = (int.MaxValue, -1);
        foreach (var result in report.Results)
        {
            (low, high) = (Math.Min(low, result.Index), Math.Max(high, result.Index));
            _firsts.TryAdd((report.Id.Job.Value, result.Index, report.Epoch), position);
            _results.Add(position, report, result);
        }
        _reports.Add((position, report));
        _ordinals.Add(position);
        _jobs.Add(report.Id.Job.Value);
        _numbers.Add(report.Id.Number);
        _epochs.Add(report.Epoch);
        _lows.Add(low);
        _highs.Add(high);
        _forgets.Add(report.ForgetsFailures);
    }

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        // Leases come first, so that a fresh result finds the reports that were accepted.
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.GetInt32(0) is var accepted and >= 0)
                _fresh.Add(accepted, []);
            else
                _fresh[ReporterOf(reader.GetGuid(1), reader.GetInt32(2), reader.GetInt32(3))].Add(reader.GetInt32(2));
        }
        foreach (var (position, indexes) in _fresh)
        {
            indexes.Sort();
            outcomes[position] = new LedgerOutcome(Applied: true, NewResults: indexes);
        }
    }

    public override void Clear()
    {
        base.Clear();
        _firsts.Clear();
        _reports.Clear();
        _fresh.Clear();
    }

    private int ReporterOf(Guid job, int index, int epoch)
    {
        var first = _firsts[(job, index, epoch)];
        return _fresh.ContainsKey(first)
            ? first
            : _reports
                .First(r =>
                    _fresh.ContainsKey(r.Position)
                    && r.Report.Id.Job.Value == job
                    && r.Report.Results.Any(result => result.Index == index)
                )
                .Position;
    }
}
