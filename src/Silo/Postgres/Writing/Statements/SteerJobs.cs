using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Queued or blocked to held.</summary>
internal sealed class HoldJobs() : JobStatement<LedgerOperation.HoldJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 5
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state in (0, 7)
          returning j.id
        )
        insert into job_event (job, kind)
        select id, 9 from moved
        returning job, seq
        """;
}

/// <summary>Running to paused; its leases are taken back, under their epochs.</summary>
internal sealed class PauseJobs() : JobStatement<LedgerOperation.PauseJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 6
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 1
          returning j.id
        ), freed as (
          update shard s set state = 0 from moved where s.job = moved.id and s.state = 1
        )
        insert into job_event (job, kind)
        select id, 11 from moved
        returning job, seq
        """;
}

/// <summary>Paused to running.</summary>
internal sealed class ResumeJobs() : JobStatement<LedgerOperation.ResumeJob>(Sql)
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 1
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 6
          returning j.id
        )
        insert into job_event (job, kind)
        select id, 12 from moved
        returning job, seq
        """;
}
