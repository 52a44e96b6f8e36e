using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>A statement over shards, each at most once. Answers (job, shard number, sequence of its event).</summary>
internal abstract class ShardStatement : LedgerStatement
{
    private readonly Dictionary<(Guid Job, int Number), int> _positions = [];
    private readonly ArrayColumn<Guid> _jobs;
    private readonly ArrayColumn<int> _numbers;

    protected ShardStatement(string sql)
        : base(sql, takesPool: false) => (_jobs, _numbers) = (Uuids(), Ints());

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var position = _positions[(reader.GetGuid(0), reader.GetInt32(1))];
            outcomes[position] = new LedgerOutcome(Applied: true, Sequence: reader.GetInt64(2));
        }
    }

    public override void Clear()
    {
        base.Clear();
        _positions.Clear();
    }

    protected void Add(ShardId id, int position)
    {
        _positions.Add((id.Job.Value, id.Number), position);
        _jobs.Add(id.Job.Value);
        _numbers.Add(id.Number);
    }
}
