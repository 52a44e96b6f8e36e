using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Any state that is not terminal to failed or cancelled, with the shards.</summary>
internal sealed class EndJobs : JobStatement<LedgerOperation.EndJob>
{
    private const string Sql = """
        with moved as (
          update job j
          set state = op.state, finished_at = now(), end_code = op.code, end_message = op.message
          from unnest($2::uuid[], $3::smallint[], $4::smallint[], $5::text[]) as op (id, state, code, message)
          where j.id = op.id and j.pool = $1 and j.state in (0, 1, 5, 6, 7)
          returning j.id, j.state, j.end_message
        ), cancelled as (
          update shard s set state = 4 from moved where s.job = moved.id and s.state in (0, 1)
        )
        insert into job_event (job, kind, message)
        select id, case state when 3 then 7 else 8 end, end_message from moved
        returning job, seq
        """;

    private readonly ArrayColumn<short> _states;
    private readonly ArrayColumn<short> _codes;
    private readonly ArrayColumn<string?> _messages;

    public EndJobs()
        : base(Sql) => (_states, _codes, _messages) = (Smalls(), Smalls(), Texts());

    protected override void Add(LedgerOperation.EndJob operation)
    {
        if (operation.To is not (JobState.Failed or JobState.Cancelled))
            throw new ArgumentException($"No job is ended as {operation.To}.", nameof(operation));
        _states.Add((short)operation.To);
        _codes.Add((short)operation.End.Code);
        _messages.Add(LedgerText.Clean(operation.End.Message));
    }
}
