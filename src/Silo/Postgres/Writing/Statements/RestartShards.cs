using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>Queued shards of running jobs, leased again under the next epoch once their wait is over.</summary>
internal sealed class RestartShards : ShardStatement
{
    private const string Sql = """
        with leased as (
          update shard s
          set state = 1, epoch = op.epoch, device = op.device, leased_at = now(), not_before = null
          from unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[])
            as op (job, number, epoch, device, note)
          where s.job = op.job and s.number = op.number and s.state = 0 and s.epoch = op.epoch - 1
            and (s.not_before is null or s.not_before <= clock_timestamp())
            and exists (select from job j where j.id = op.job and j.state = 1)
          returning s.job, s.number, s.epoch, s.device, s.item_count, op.note
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select job, 2, number, epoch, device, item_count, note from leased
        returning job, shard, seq
        """;

    private readonly ArrayColumn<int> _epochs;
    private readonly ArrayColumn<string?> _devices;
    private readonly ArrayColumn<string?> _notes;

    public RestartShards()
        : base(Sql) => (_epochs, _devices, _notes) = (Ints(), Texts(), Texts());

    public override void Add(LedgerOperation operation, int position)
    {
        var restart = (LedgerOperation.RestartShard)operation;
        Add(restart.Id, position);
        _epochs.Add(restart.Epoch);
        _devices.Add(restart.Device.ToString());
        _notes.Add(restart.Note);
    }
}
