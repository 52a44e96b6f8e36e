using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Benchmarks.Fleet;

/// <summary>
/// The one Postgres server of a benchmark, with the settings of every embedded one (fsync and synchronous_commit on). Silo,
/// bare writer and peers each get a fresh database on it.
/// </summary>
internal sealed class BenchPostgres(EmbeddedPostgres server) : IAsyncDisposable
{
    private int _databases;

    public static async Task<BenchPostgres> StartAsync(ScratchFolder scratch, CancellationToken cancellationToken)
    {
        var options = new EmbeddedPostgresOptions { DataDirectory = scratch.At("postgres") };
        return new BenchPostgres(await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, cancellationToken));
    }

    /// <summary>A new, empty database; its connection string. What came before is on disk by then.</summary>
    public async Task<string> CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var name = $"bench_{++_databases}";
        await ExecuteAsync($"create database {name}", cancellationToken);
        await ExecuteAsync("checkpoint", cancellationToken);
        return new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString;
    }

    public async Task DropDatabaseAsync(string connectionString, CancellationToken cancellationToken)
    {
        var name = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await ExecuteAsync($"drop database {name} with (force)", cancellationToken);
    }

    /// <summary>Writes out what earlier phases left dirty, so that no phase pays for another.</summary>
    public Task CheckpointAsync(CancellationToken cancellationToken) => ExecuteAsync("checkpoint", cancellationToken);

    /// <summary>The server's own word on what makes a commit durable.</summary>
    public async Task<IReadOnlyDictionary<string, string>> SettingsAsync(CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        foreach (var name in new[] { "server_version", "fsync", "synchronous_commit", "full_page_writes" })
        {
            await using var show = source.CreateCommand($"show {name}");
            settings[name] = (string)(await show.ExecuteScalarAsync(cancellationToken))!;
        }
        return settings;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        var direct = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(direct.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
