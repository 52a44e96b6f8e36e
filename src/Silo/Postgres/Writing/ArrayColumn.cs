using Npgsql;
using NpgsqlTypes;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>A parameter of a set-based statement: an array with one element for each of its rows. Reused from turn to turn.</summary>
internal sealed class ArrayColumn<T>(NpgsqlDbType elementType) : IArrayColumn
{
    private readonly List<T> _values = [];

    public NpgsqlParameter Parameter { get; } = new() { NpgsqlDbType = NpgsqlDbType.Array | elementType };

    public void Add(T value) => _values.Add(value);

    public void Bind() => Parameter.Value = _values;

    public void Clear()
    {
        _values.Clear();
        // A turn of large results must not be remembered by the memory of all later ones.
        if (_values.Capacity > Limits.LedgerTurnOperations)
            _values.Capacity = Limits.LedgerTurnOperations;
    }
}

/// <summary>An <see cref="ArrayColumn{T}"/> of any element.</summary>
internal interface IArrayColumn
{
    NpgsqlParameter Parameter { get; }

    /// <summary>Before each execution: the driver sizes arrays anew only when the value is set anew.</summary>
    void Bind();

    void Clear();
}
