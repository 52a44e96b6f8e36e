using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>New jobs of any kind with their spec, items, key, dependencies and first events.</summary>
internal sealed class SubmitJobs : SubmitStatement
{
    /// <summary>
    /// Answers (job, kind, sequence, time, ...) for events of the new jobs, and for each job, new or not, the states of its
    /// dependencies (kind -1) and the earlier job of its idempotency key (kind -2).
    /// "is true" keeps look-ups among the rows at hand hash tables: without statistics a join could be a nested loop.
    /// </summary>
    private const string Sql = """
        with op as materialized (
          select *
          from unnest($2::uuid[], $3::text[], $4::smallint[], $5::smallint[], $6::int[], $7::timestamptz[], $8::bigint[],
                      $9::json[], $10::json[], $11::bool[], $12::text[], $13::text[])
            as op (id, tenant, kind, priority, item_count, deadline, max_run_ms, spec, items, held, key, body_sha256)
        ), staged as materialized (
          select i.job
          from op join job_input i on i.job = op.id
          where op.items is null and i.item_count = op.item_count
          for key share of i
        ), need as materialized (
          select n.job, n.nth, n.depends_on, n.condition, coalesce(j.state, a.state) as state
          from unnest($14::uuid[], $15::smallint[], $16::uuid[], $17::smallint[]) as n (job, nth, depends_on, condition)
            left join job j on j.id = n.depends_on
            left join job_archive a on a.id = n.depends_on
        ), made as (
          insert into job (id, pool, tenant, kind, priority, item_count, deadline, max_run_ms, state)
          select op.id, $1, op.tenant, op.kind, op.priority, op.item_count, op.deadline, op.max_run_ms,
                 case
                   when op.held then 5
                   when (op.id in (select job from need where not is_met(condition, state))) is true then 7
                   else 0
                 end
          from op
          where (op.items is not null or (op.id in (select job from staged)) is true)
            and (op.id in (select job from need where state is null)) is not true
            and not exists (select from idempotency_key k where k.tenant = op.tenant and k.key = op.key)
          on conflict (id) do nothing
          returning id, item_count, state
        ), specified as (
          insert into job_spec (job, spec, items)
          select id, spec, items from op where (id in (select id from made)) is true
        ), keyed as (
          insert into idempotency_key (tenant, key, body_sha256, job)
          select tenant, key, body_sha256, id from op where key is not null and (id in (select id from made)) is true
        ), depending as (
          insert into job_dependency (job, nth, depends_on, condition)
          select job, nth, depends_on, condition from need where (job in (select id from made)) is true
        ), event as (
          insert into job_event (job, kind, item_count)
          select id, 0, item_count from made
          union all
          select id, case state when 5 then 9 else 13 end, null from made where state <> 0
          returning job, kind, seq
        )
        select job, kind::int, seq, now(), null::uuid, null::text from event
        union all
        select job, -1, nth, null, null, state::text from need
        union all
        select op.id, -2, 0, null, k.job, k.body_sha256
        from op join idempotency_key k on k.tenant = op.tenant and k.key = op.key
        """;

    private const int Dependency = -1;
    private const int Earlier = -2;

    private readonly ArrayColumn<bool> _held;
    private readonly ArrayColumn<string?> _keys;
    private readonly ArrayColumn<string?> _digests;
    private readonly DependencyColumns _dependencies;
    private readonly Dictionary<Guid, string> _digestsByJob = [];

    public SubmitJobs()
        : base(Sql)
    {
        (_held, _keys, _digests) = (Column<bool>(NpgsqlDbType.Boolean), Texts(), Texts());
        _dependencies = new DependencyColumns
        {
            Jobs = Uuids(),
            Places = Smalls(),
            Targets = Uuids(),
            Conditions = Smalls(),
        };
    }

    protected override void Add(LedgerOperation.SubmitJob operation)
    {
        base.Add(operation);
        _held.Add(operation.Spec.Rules.StartsHeld);
        _keys.Add(operation.IdempotencyKey is { } key ? LedgerText.Clean(key.Key) : null);
        _digests.Add(operation.IdempotencyKey?.BodySha256);
        _dependencies.Add(operation.Spec);
        if (operation.IdempotencyKey is { } used)
            _digestsByJob.Add(operation.Spec.Id.Value, used.BodySha256);
    }

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var job = reader.GetGuid(0);
            var position = Positions[job];
            outcomes[position] = reader.GetInt32(1) switch
            {
                Earlier => new LedgerOutcome(
                    Applied: false,
                    new JobId(reader.GetGuid(4)),
                    KeyReused: reader.GetString(5) != _digestsByJob[job]
                ),
                Dependency => DependencyStates.Add(
                    outcomes[position],
                    (int)reader.GetInt64(2),
                    reader.IsDBNull(5) ? null : Enum.Parse<JobState>(reader.GetString(5))
                ),
                var kind => Made(outcomes[position], (JobEventKind)kind, reader),
            };
        }
    }

    public override void Clear()
    {
        base.Clear();
        _digestsByJob.Clear();
    }

    private static LedgerOutcome Made(LedgerOutcome before, JobEventKind kind, NpgsqlDataReader reader) =>
        new(
            Applied: true,
            Sequence: reader.GetInt64(2),
            State: kind switch
            {
                JobEventKind.Held => JobState.Held,
                JobEventKind.Blocked => JobState.Blocked,
                _ => JobState.Queued,
            },
            CreatedAt: reader.GetFieldValue<DateTimeOffset>(3),
            Dependencies: before.Dependencies ?? []
        );
}
