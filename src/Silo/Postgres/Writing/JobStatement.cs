using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>A statement over whole jobs, each at most once. Answers (job, sequence of its event).</summary>
internal abstract class JobStatement<TOperation> : LedgerStatement
    where TOperation : LedgerOperation
{
    private readonly ArrayColumn<Guid> _ids;

    protected JobStatement(string sql)
        : base(sql, takesPool: true) => _ids = Uuids();

    protected Dictionary<Guid, int> Positions { get; } = [];

    public sealed override void Add(LedgerOperation operation, int position)
    {
        var typed = (TOperation)operation;
        var id = Grains.Scheduling.LedgerOperations.JobOf(operation).Value;
        Positions.Add(id, position);
        _ids.Add(id);
        Add(typed);
    }

    public override async Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    )
    {
        while (await reader.ReadAsync(cancellationToken))
        {
            var position = Positions[reader.GetGuid(0)];
            outcomes[position] = new LedgerOutcome(Applied: true, Sequence: reader.GetInt64(1));
        }
    }

    public override void Clear()
    {
        base.Clear();
        Positions.Clear();
    }

    /// <summary>Adds what the operation says beyond the job's id.</summary>
    protected virtual void Add(TOperation operation) { }
}
