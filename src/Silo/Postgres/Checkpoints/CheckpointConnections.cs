using EgpuFleet.Grains.Ports;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EgpuFleet.Silo.Postgres.Checkpoints;

/// <summary>Connections of the checkpoint store, apart from the ledger's: a large state must not starve the scheduler.</summary>
internal sealed class CheckpointConnections : IAsyncDisposable
{
    private readonly NpgsqlDataSource source;

    public CheckpointConnections(string connectionString, ILoggerFactory loggers)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = "egpufleet checkpoints" };
        builder.UseLoggerFactory(loggers);
        var settings = builder.ConnectionStringBuilder;
        settings.ApplicationName = builder.Name;
        settings.MaxPoolSize = Limits.CheckpointConnectionsMax;
        settings.CommandTimeout = Limits.CheckpointCommandTimeoutSeconds;
        // Chunks are large: fewer and larger calls to the socket.
        settings.ReadBufferSize = settings.WriteBufferSize = Limits.CheckpointBufferBytes;
        // References and chunks are found by key, whatever the statistics of a table that was empty yesterday say.
        settings.Options = $"{settings.Options} -c enable_seqscan=off -c jit=off".Trim();
        source = builder.Build();
    }

    public async Task<T> UseAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return await work(connection, cancellationToken);
        }
        catch (Exception e) when (LedgerFaults.IsUnavailable(e))
        {
            throw LedgerFaults.Unavailable(e);
        }
    }

    /// <summary>In a transaction that commits when <paramref name="isDone"/> says so of the result.</summary>
    /// <exception cref="LedgerUnavailableException">The database does not answer, or its disk is full.</exception>
    public Task<T> TransactAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        Func<T, bool> isDone,
        CancellationToken cancellationToken
    ) =>
        UseAsync(
            async (connection, token) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(token);
                var result = await work(connection, token);
                if (isDone(result))
                    await transaction.CommitAsync(token);
                return result;
            },
            cancellationToken
        );

    public static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();
}
