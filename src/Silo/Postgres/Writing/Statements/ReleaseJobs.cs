using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Held to queued, or to blocked while a dependency is unmet.</summary>
internal sealed class ReleaseJobs() : JobStatement<LedgerOperation.ReleaseJob>(Sql)
{
    /// <summary>Answers (job, kind, sequence, null) for events, (job, null, place, state) for dependencies.</summary>
    private const string Sql = """
        with dependency as materialized (
          select d.job, d.nth, d.condition, d.state
          from unnest($2::uuid[]) as op (id) join dependency_state d on d.job = op.id
        ), moved as (
          update job j
          set state = case
                when (op.id in (select job from dependency where is_met(condition, state) is not true)) is true then 7
                else 0
              end
          from unnest($2::uuid[]) as op (id)
          where j.id = op.id and j.pool = $1 and j.state = 5
          returning j.id, j.state
        ), event as (
          insert into job_event (job, kind)
          select id, 10 from moved
          union all
          select id, 13 from moved where state = 7
          returning job, kind, seq
        )
        select job, kind, seq, null::smallint from event
        union all
        select job, null, nth, state from dependency
        """;

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var position = Positions[reader.GetGuid(0)];
            var before = outcomes[position];
            outcomes[position] = reader.IsDBNull(1)
                ? DependencyStates.Add(
                    before,
                    (int)reader.GetInt64(2),
                    reader.IsDBNull(3) ? null : (JobState)reader.GetInt16(3)
                )
                : new LedgerOutcome(
                    Applied: true,
                    Sequence: reader.GetInt64(2),
                    State: (JobEventKind)reader.GetInt16(1) == JobEventKind.Blocked
                        ? JobState.Blocked
                        : JobState.Queued,
                    Dependencies: before.Dependencies ?? []
                );
        }
    }
}
