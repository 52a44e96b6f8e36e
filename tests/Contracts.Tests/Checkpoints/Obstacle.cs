using Npgsql;

namespace EgpuFleet.Contracts.Tests.Checkpoints;

/// <summary>Forces interleavings: a transaction that is in the way, and the moment in which somebody waits for it.</summary>
internal sealed class Obstacle : IAsyncDisposable
{
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlTransaction _transaction;

    private Obstacle(NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (_connection, _transaction) = (connection, transaction);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A transaction that has done something and stays open.</summary>
    public static async Task<Obstacle> PutAsync(CheckpointDatabase database, string sql, params object[] values)
    {
        var connection = await database.Source.OpenConnectionAsync(Token);
        var transaction = await connection.BeginTransactionAsync(Token);
        await using var command = new NpgsqlCommand(sql, connection, transaction);
        foreach (var value in values)
            command.Parameters.Add(new() { Value = value });
        await command.ExecuteNonQueryAsync(Token);
        return new Obstacle(connection, transaction);
    }

    /// <summary>Returns when some session of the database waits for a lock of a kind. A test in which nobody does fails.</summary>
    /// <param name="kind"><c>transactionid</c>: for a row; <c>advisory</c>, <c>relation</c>.</param>
    public static async Task UntilWaitedForAsync(CheckpointDatabase database, string kind)
    {
        await using var look = database.Source.CreateCommand(
            """
            select exists(
              select from pg_stat_activity
              where datname = current_database() and wait_event_type = 'Lock' and wait_event = $1
            )
            """
        );
        look.Parameters.Add(new() { Value = kind });
        using var never = CancellationTokenSource.CreateLinkedTokenSource(Token);
        never.CancelAfter(TimeSpan.FromMinutes(2));
        while (!(bool)(await look.ExecuteScalarAsync(never.Token))!)
            await Task.Yield();
    }

    public Task CommitAsync() => _transaction.CommitAsync(Token);

    public Task RemoveAsync() => _transaction.RollbackAsync(Token);

    public async ValueTask DisposeAsync()
    {
        await _transaction.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
