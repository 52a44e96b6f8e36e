using EgpuFleet.Grains.Ports;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Leases of exactly their epoch, taken back.</summary>
internal sealed class RequeueShards : ShardStatement
{
    private const string Sql = """
        with freed as (
          update shard s
          set state = 0, failure_count = s.failure_count + op.failures, not_before = clock_timestamp() + op.backoff
          from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::interval[])
            as op (job, number, epoch, failures, message, backoff)
          where s.job = op.job and s.number = op.number and s.state = 1 and s.epoch = op.epoch
          returning s.job, s.number, s.epoch, s.device, s.item_count, op.message
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select job, 4, number, epoch, device, item_count, message from freed
        returning job, shard, seq
        """;

    private readonly ArrayColumn<int> _epochs;
    private readonly ArrayColumn<int> _failures;
    private readonly ArrayColumn<string?> _messages;
    private readonly ArrayColumn<TimeSpan?> _backoffs;

    public RequeueShards()
        : base(Sql)
    {
        (_epochs, _failures, _messages) = (Ints(), Ints(), Texts());
        _backoffs = Column<TimeSpan?>(NpgsqlDbType.Interval);
    }

    public override void Add(LedgerOperation operation, int position)
    {
        var requeue = (LedgerOperation.RequeueShard)operation;
        Add(requeue.Id, position);
        _epochs.Add(requeue.Epoch);
        _failures.Add(requeue.CountsAsFailure ? 1 : 0);
        _messages.Add(LedgerText.Clean(requeue.Reason));
        _backoffs.Add(requeue.Backoff);
    }
}
