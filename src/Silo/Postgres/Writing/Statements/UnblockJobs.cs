using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Blocked to queued, where every dependency has ended as it must.</summary>
internal sealed class UnblockJobs() : JobStatement<LedgerOperation.UnblockJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 0
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 7
            and not exists (select from dependency_state d where d.job = j.id and is_met(d.condition, d.state) is not true)
          returning j.id
        )
        insert into job_event (job, kind)
        select id, 14 from moved
        returning job, seq
        """;
}
