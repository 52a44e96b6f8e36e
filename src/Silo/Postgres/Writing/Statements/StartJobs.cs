using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Queued to running.</summary>
internal sealed class StartJobs() : JobStatement<LedgerOperation.StartJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 1, started_at = now()
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 0
          returning j.id
        )
        insert into job_event (job, kind)
        select id, 1 from moved
        returning job, seq
        """;
}
