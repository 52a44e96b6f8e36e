using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>To failed where the database's clock has passed the deadline (4) or the longest run time (5) of the job.</summary>
internal sealed class ExpireJobs : JobStatement<LedgerOperation.ExpireJob>
{
    private const string Sql = """
        with moved as (
          update job j
          set state = 3, finished_at = now(), end_code = op.code, end_message = op.message
          from unnest($2::uuid[], $3::smallint[], $4::text[]) as op (id, code, message)
          where j.id = op.id and j.pool = $1 and j.state in (0, 1, 5, 6, 7)
            and case op.code
                  when 4 then j.deadline <= clock_timestamp()
                  when 5 then j.started_at + j.max_run_ms * interval '1 ms' <= clock_timestamp()
                end
          returning j.id, j.end_message
        ), cancelled as (
          update shard s set state = 4 from moved where s.job = moved.id and s.state in (0, 1)
        )
        insert into job_event (job, kind, message)
        select id, 7, end_message from moved
        returning job, seq
        """;

    private readonly ArrayColumn<short> _codes;
    private readonly ArrayColumn<string?> _messages;

    public ExpireJobs()
        : base(Sql) => (_codes, _messages) = (Smalls(), Texts());

    protected override void Add(LedgerOperation.ExpireJob operation)
    {
        if (operation.End.Code is not (JobEndCode.DeadlineExceeded or JobEndCode.RunTimeExceeded))
            throw new ArgumentException($"No clock ends a job as {operation.End.Code}.", nameof(operation));
        _codes.Add((short)operation.End.Code);
        _messages.Add(LedgerText.Clean(operation.End.Message));
    }
}
