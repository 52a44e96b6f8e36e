using EgpuFleet.Grains.Ports;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Writing;

/// <summary>
/// Numbers of turns, counted within a term. Each is used by one turn, which may be run several times until it is known to
/// have been committed once; a number given up is never used again.
/// </summary>
internal sealed class TurnNumbers
{
    private const string Guard = "select open_turn($1, $2, $3, $4)";

    /// <summary>After it nothing of an earlier turn is under way.</summary>
    private const string AwaitTurn = "select pg_advisory_xact_lock(1, hashtext($1))";

    private const string Last = "select coalesce(max(turn), 0) from leader_turn where pool = $1 and epoch = $2";

    /// <summary>Raised by <c>open_turn</c>: this turn or a later one is committed already.</summary>
    public const string DoneSqlState = "EF002";

    private readonly Dictionary<LeaderTerm, long> _used = [];

    /// <summary>The next number. A term seen for the first time may have been written under before, by another instance.</summary>
    public async Task<long> NextAsync(LeaderTerm term, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!_used.TryGetValue(term, out var used))
        {
            // Terms of a pool follow each other: the old ones are of no more use.
            foreach (var old in _used.Keys.Where(t => t.Pool == term.Pool && t.Epoch < term.Epoch).ToList())
                _used.Remove(old);
            used = await LastAsync(term, connection, cancellationToken);
        }
        return _used[term] = used + 1;
    }

    /// <summary>Forgets what it knew of a term that somebody else writes under too.</summary>
    public void Forget(LeaderTerm term) => _used.Remove(term);

    /// <summary>The highest number committed under a term, once no turn is under way.</summary>
    public static async Task<long> LastAsync(
        LeaderTerm term,
        NpgsqlConnection connection,
        CancellationToken cancellationToken
    )
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(AwaitTurn) { Parameters = { new() { Value = term.Pool.Value } } });
        batch.BatchCommands.Add(
            new(Last)
            {
                Parameters =
                {
                    new() { Value = term.Pool.Value },
                    new() { Value = term.Epoch },
                },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetInt64(0);
    }

    /// <summary>First statement of a turn: nothing after it happens when the term is over or the turn is done.</summary>
    public static NpgsqlBatchCommand Open(LeaderTerm term, long number) =>
        new(Guard)
        {
            Parameters =
            {
                new() { Value = term.Pool.Value },
                new() { Value = term.Holder },
                new() { Value = term.Epoch },
                new() { Value = number },
            },
        };
}
