using EgpuFleet.Grains.Ports;
using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// One statement that carries out all operations of a kind in a wave, over arrays with a row for each. It answers only for
/// those whose condition held; the others keep the outcome "refused". Reused from turn to turn.
/// </summary>
internal abstract class LedgerStatement
{
    private readonly List<IArrayColumn> _columns = [];
    private readonly List<NpgsqlParameter> _parameters = [];
    private readonly string _sql;
    private readonly NpgsqlParameter? _pool;
    private NpgsqlBatchCommand? _command;

    /// <param name="sql">With one array for each column in the order made, after <c>$1</c>, the pool, where it takes one.</param>
    /// <param name="takesPool">Whether it looks at the pool of its jobs.</param>
    protected LedgerStatement(string sql, bool takesPool)
    {
        _sql = sql;
        if (takesPool)
            _parameters.Add(_pool = new NpgsqlParameter { NpgsqlDbType = NpgsqlDbType.Text });
    }

    /// <param name="operation">Of this statement's kind.</param>
    /// <param name="position">Its place in the turn, where its outcome goes.</param>
    public abstract void Add(LedgerOperation operation, int position);

    public abstract Task ReadAsync(
        NpgsqlDataReader reader,
        LedgerOutcome[] outcomes,
        CancellationToken cancellationToken
    );

    /// <summary>A new command each time: the driver keeps in it what it has prepared on a connection, which may be gone.</summary>
    public NpgsqlBatchCommand Command(LeaderTerm term)
    {
        _command?.Parameters.Clear();
        _command = new NpgsqlBatchCommand(_sql);
        if (_pool is not null)
            _pool.Value = term.Pool.Value;
        foreach (var column in _columns)
            column.Bind();
        foreach (var parameter in _parameters)
            _command.Parameters.Add(parameter);
        return _command;
    }

    public virtual void Clear()
    {
        foreach (var column in _columns)
            column.Clear();
    }

    protected ArrayColumn<T> Column<T>(NpgsqlDbType elementType)
    {
        var column = new ArrayColumn<T>(elementType);
        _columns.Add(column);
        _parameters.Add(column.Parameter);
        return column;
    }

    protected ArrayColumn<Guid> Uuids() => Column<Guid>(NpgsqlDbType.Uuid);

    protected ArrayColumn<int> Ints() => Column<int>(NpgsqlDbType.Integer);

    protected ArrayColumn<short> Smalls() => Column<short>(NpgsqlDbType.Smallint);

    protected ArrayColumn<string?> Texts() => Column<string?>(NpgsqlDbType.Text);

    protected ArrayColumn<string?> Jsons() => Column<string?>(NpgsqlDbType.Json);
}
