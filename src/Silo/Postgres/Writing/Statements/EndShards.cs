using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Running shards of exactly their epoch, ended as done or as failed.</summary>
internal sealed class EndShards : ShardStatement
{
    private const string Sql = """
        with ended as (
          update shard s
          set state = op.state
          from unnest($1::uuid[], $2::int[], $3::int[], $4::smallint[], $5::smallint[], $6::text[])
            as op (job, number, epoch, state, kind, message)
          where s.job = op.job and s.number = op.number and s.state = 1 and s.epoch = op.epoch
          returning s.job, s.number, s.epoch, s.device, s.item_count, op.kind, op.message
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select job, kind, number, epoch, device, item_count, message from ended
        returning job, shard, seq
        """;

    private readonly ArrayColumn<int> _epochs;
    private readonly ArrayColumn<short> _states;
    private readonly ArrayColumn<short> _kinds;
    private readonly ArrayColumn<string?> _messages;

    public EndShards()
        : base(Sql) => (_epochs, _states, _kinds, _messages) = (Ints(), Smalls(), Smalls(), Texts());

    public override void Add(LedgerOperation operation, int position)
    {
        if (operation is LedgerOperation.FinishShard finish)
        {
            Add(finish.Id, position);
            Add(finish.Epoch, ShardState.Done, JobEventKind.ShardFinished, message: null);
        }
        else
        {
            var fail = (LedgerOperation.FailShard)operation;
            Add(fail.Id, position);
            Add(fail.Epoch, ShardState.Failed, JobEventKind.ShardFailed, fail.Reason);
        }
    }

    private void Add(int epoch, ShardState state, JobEventKind kind, string? message)
    {
        _epochs.Add(epoch);
        _states.Add((short)state);
        _kinds.Add((short)kind);
        _messages.Add(message is null ? null : LedgerText.Clean(message));
    }
}
