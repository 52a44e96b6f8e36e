using System.Net.Sockets;
using Npgsql;
using Polly;
using Polly.Retry;

namespace EgpuFleet.Silo.Postgres;

/// <summary>What the server that should be ours said.</summary>
internal enum PostgresAnswer
{
    Ours,

    /// <summary>Starting, stopping or recovering, still after half a minute.</summary>
    NotNow,

    /// <summary>It does not know our password, or serves another directory.</summary>
    Foreign,

    /// <summary>The process is dead.</summary>
    Gone,
}

/// <summary>How the embedded server is reached, and whether the one that answers is the right one.</summary>
internal static class PostgresEndpoint
{
    private const string MaintenanceDatabase = "postgres";
    private const int AsksMax = 600;

    private static readonly TimeSpan AskInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>A postmaster that is shutting down or replaying its log answers "not now": ask again for 30 s.</summary>
    private static readonly ResiliencePipeline UntilReady = new ResiliencePipelineBuilder()
        .AddRetry(
            new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(IsNotNow),
                MaxRetryAttempts = AsksMax,
                Delay = AskInterval,
            }
        )
        .Build();

    private static readonly ResiliencePipeline<PostgresAnswer> WhileNotNow =
        new ResiliencePipelineBuilder<PostgresAnswer>()
            .AddRetry(
                new RetryStrategyOptions<PostgresAnswer>
                {
                    ShouldHandle = new PredicateBuilder<PostgresAnswer>().HandleResult(PostgresAnswer.NotNow),
                    MaxRetryAttempts = AsksMax,
                    Delay = AskInterval,
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
            // Orleans and the silo's own queries each have a pool of this size; the ledger sizes its own.
            MaxPoolSize = Limits.PostgresConnectionsMax / 4,
            Timeout = 15,
        }.ConnectionString;

    /// <summary>Whether the postmaster of the file lives, knows our password and serves exactly this data directory.</summary>
    public static async Task<PostgresAnswer> AskAsync(
        PostmasterFile file,
        string password,
        string dataDirectory,
        CancellationToken cancellationToken
    )
    {
        return await WhileNotNow.ExecuteAsync(
            async token =>
            {
                var running = await PostgresProcesses.InAsync(dataDirectory, token);
                if (!running.Contains(file.ProcessId))
                    return PostgresAnswer.Gone;
                try
                {
                    var served = await ScalarAsync(file.Port, password, "show data_directory", token);
                    return served as string == dataDirectory ? PostgresAnswer.Ours : PostgresAnswer.Foreign;
                }
                catch (NpgsqlException e)
                {
                    return IsNotNow(e) ? PostgresAnswer.NotNow : PostgresAnswer.Foreign;
                }
            },
            cancellationToken
        );
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

    private static bool IsNotNow(NpgsqlException error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow }
        || error.InnerException is SocketException or IOException;

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
