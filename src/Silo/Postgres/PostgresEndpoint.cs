using System.Net.Sockets;
using Npgsql;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Silo.Postgres;

/// <summary>How the embedded server is reached, and whether the one that answers is the right one.</summary>
internal static class PostgresEndpoint
{
    private const string MaintenanceDatabase = "postgres";

    /// <summary>A postmaster that is shutting down or replaying its log answers "not now": ask again for 30 s.</summary>
    private static readonly ResiliencePipeline UntilReady = new ResiliencePipelineBuilder()
        .AddTimeout(Limits.PostgresStopTimeout)
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder()
                    .Handle<PostgresException>(e => e.SqlState == PostgresErrorCodes.CannotConnectNow)
                    .Handle<NpgsqlException>(e => e.InnerException is SocketException or IOException),
                MaxRetryAttempts = 100,
                Delay = TimeSpan.FromMilliseconds(50),
                MaxDelay = TimeSpan.FromSeconds(1),
                BackoffType = DelayBackoffType.Exponential,
            }
        )
        .Build();

    public static string ConnectionString(int port, string password, string database) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = PostgresServer.Superuser,
            Password = password,
            Database = database,
            ApplicationName = "egpufleet",
            // One process tree: the server's connections are shared by ledger, readers and Orleans.
            MaxPoolSize = Limits.PostgresConnectionsMax / 2,
            Timeout = 15,
        }.ConnectionString;

    /// <summary>True when the server on the port knows our password and serves exactly this data directory.</summary>
    public static async Task<bool> AnswersAsync(
        int port,
        string password,
        string dataDirectory,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var served = await UntilReady.ExecuteAsync(
                async token => await ScalarAsync(port, password, "show data_directory", token),
                cancellationToken
            );
            return served as string == dataDirectory;
        }
        catch (Exception e) when (e is NpgsqlException or Polly.Timeout.TimeoutRejectedException)
        {
            return false;
        }
    }

    /// <summary>Makes the database of the connection string when it is missing.</summary>
    public static async Task EnsureDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        var target = new NpgsqlConnectionStringBuilder(connectionString);
        var database = target.Database!;
        target.Database = MaintenanceDatabase;
        target.Pooling = false;
        await using var connection = new NpgsqlConnection(target.ConnectionString);
        await UntilReady.ExecuteAsync(async token => await connection.OpenAsync(token), cancellationToken);
        await using var find = new NpgsqlCommand("select 1 from pg_database where datname = $1", connection)
        {
            Parameters = { new() { Value = database } },
        };
        if (await find.ExecuteScalarAsync(cancellationToken) is not null)
            return;
        var quoted = database.Replace("\"", "\"\"", StringComparison.Ordinal);
        await using var create = new NpgsqlCommand($"create database \"{quoted}\"", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<object?> ScalarAsync(
        int port,
        string password,
        string sql,
        CancellationToken cancellationToken
    )
    {
        var target = new NpgsqlConnectionStringBuilder(ConnectionString(port, password, MaintenanceDatabase))
        {
            Pooling = false,
        };
        await using var connection = new NpgsqlConnection(target.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}
