using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>
/// New shards of running jobs. Several of one job form a chain, each beginning where the one before ends; the job's cursors
/// must be at its head, and as much of it is carried out as the job has items.
/// </summary>
internal sealed class StartShards : ShardStatement
{
    private const string Sql = """
        with op as materialized (
          select *
          from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[], $6::int[], $7::int[], $8::text[])
            as op (job, number, first_item, item_count, device, head_number, head_item, note)
        ), fit as materialized (
          select op.*
          from op join job j on j.id = op.job
          where j.state = 1 and j.next_shard = op.head_number and j.next_item = op.head_item
            and op.first_item::bigint + op.item_count <= j.item_count
        ), moved as (
          update job j
          set next_item = j.next_item + chain.items, next_shard = j.next_shard + chain.shards
          from (select job, sum(item_count)::int as items, count(*)::int as shards from fit group by job) chain
          where j.id = chain.job
        ), made as (
          insert into shard (job, number, first_item, item_count, state, epoch, device)
          select job, number, first_item, item_count, 1, 1, device from fit
          returning job, number, item_count, device
        )
        insert into job_event (job, kind, shard, epoch, device, item_count, message)
        select made.job, 2, made.number, 1, made.device, made.item_count, fit.note
        from made join fit on fit.job = made.job and fit.number = made.number
        returning job, shard, seq
        """;

    private readonly Dictionary<JobId, (int Number, int Item)> _heads = [];
    private readonly ArrayColumn<int> _firstItems;
    private readonly ArrayColumn<int> _itemCounts;
    private readonly ArrayColumn<string?> _devices;
    private readonly ArrayColumn<int> _headNumbers;
    private readonly ArrayColumn<int> _headItems;
    private readonly ArrayColumn<string?> _notes;

    public StartShards()
        : base(Sql)
    {
        (_firstItems, _itemCounts, _devices) = (Ints(), Ints(), Texts());
        (_headNumbers, _headItems, _notes) = (Ints(), Ints(), Texts());
    }

    public override void Add(LedgerOperation operation, int position)
    {
        var start = (LedgerOperation.StartShard)operation;
        Add(start.Id, position);
        if (!_heads.TryGetValue(start.Id.Job, out var head))
            _heads.Add(start.Id.Job, head = (start.Id.Number, start.FirstItem));
        _firstItems.Add(start.FirstItem);
        _itemCounts.Add(start.ItemCount);
        _devices.Add(start.Device.ToString());
        _headNumbers.Add(head.Number);
        _headItems.Add(head.Item);
        _notes.Add(start.Note);
    }

    public override void Clear()
    {
        base.Clear();
        _heads.Clear();
    }
}
