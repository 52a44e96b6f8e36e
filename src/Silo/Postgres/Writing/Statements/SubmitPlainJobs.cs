using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>
/// New jobs that bring their items and name no key, no dependency and no hold: most of all, and the statement that a small
/// turn spends its time in. <see cref="SubmitJobs"/> could do it too, in twice the time.
/// </summary>
internal sealed class SubmitPlainJobs() : SubmitStatement(Sql)
{
    private const string Sql = """
        with op as materialized (
          select *
          from unnest($2::uuid[], $3::text[], $4::smallint[], $5::smallint[], $6::int[], $7::timestamptz[], $8::bigint[],
                      $9::json[], $10::json[])
            as op (id, tenant, kind, priority, item_count, deadline, max_run_ms, spec, items)
        ), made as (
          insert into job (id, pool, tenant, kind, priority, item_count, deadline, max_run_ms)
          select id, $1, tenant, kind, priority, item_count, deadline, max_run_ms from op
          on conflict (id) do nothing
          returning id, item_count
        ), specified as (
          -- "is true" keeps the look-up a hash table; a join of two sets without statistics could be a nested loop.
          insert into job_spec (job, spec, items)
          select id, spec, items from op where (id in (select id from made)) is true
        )
        insert into job_event (job, kind, item_count)
        select id, 0, item_count from made
        returning job, seq, at
        """;

    public static bool IsPlain(LedgerOperation.SubmitJob submit) =>
        submit is { IdempotencyKey: null, Spec.Rules: { StartsHeld: false, DependsOn.Count: 0 } }
        && submit.Items?.Count == submit.Spec.ItemCount;

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            outcomes[Positions[reader.GetGuid(0)]] = new LedgerOutcome(
                Applied: true,
                Sequence: reader.GetInt64(1),
                State: JobState.Queued,
                CreatedAt: reader.GetFieldValue<DateTimeOffset>(2),
                Dependencies: []
            );
        }
    }
}
