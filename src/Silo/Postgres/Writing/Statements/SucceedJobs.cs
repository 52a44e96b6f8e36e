using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Running to succeeded, where every item has its result.</summary>
internal sealed class SucceedJobs() : JobStatement<LedgerOperation.SucceedJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 2, finished_at = now()
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 1 and j.completed_items + j.failed_items = j.item_count
          returning j.id
        )
        insert into job_event (job, kind)
        select id, 6 from moved
        returning job, seq
        """;
}
