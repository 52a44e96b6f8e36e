using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests;

/// <summary>
/// A server whose one migrated database lies on a small disk, which really runs full; its log lies elsewhere. The server is
/// nobody else's: any of its sessions may be the one that has to write a page to the full disk, whatever its own database.
/// </summary>
internal sealed class SmallDiskDatabase : IAsyncDisposable
{
    private readonly string _disk = Path.Combine(Path.GetTempPath(), $"egpufleet-disk-{Guid.NewGuid():N}");
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"egpufleet-test-{Guid.NewGuid():N}");
    private SmallDisk? _mounted;
    private EmbeddedPostgres? _server;

    /// <summary>False: this machine does not allow it.</summary>
    public bool IsMounted => _mounted is not null;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task MountAsync() => _mounted = await SmallDisk.MountAsync(_disk, megabytes: 48);

    /// <summary>Its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var options = new EmbeddedPostgresOptions { DataDirectory = Path.Combine(_data, "postgres") };
        _server = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, Token);
        await using var source = NpgsqlDataSource.Create(_server.ConnectionString);
        await using (var owner = source.CreateCommand("select current_setting('data_directory')"))
        {
            var data = (string)(await owner.ExecuteScalarAsync(Token))!;
            Assert.True(await _mounted!.GiveToOwnerOfAsync(data));
        }
        await ExecuteAsync(source, $"create tablespace small location '{_disk}'");
        await ExecuteAsync(source, "create database on_small_disk tablespace small");
        var made = new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = "on_small_disk" };
        await Migrator.MigrateAsync(made.ConnectionString, NullLogger.Instance, Token);
        // The files of a new database have holes, which take room only when their pages are written.
        await ExecuteAsync(source, "checkpoint");
        return made.ConnectionString;
    }

    public async Task GrowAsync() => Assert.True(await _mounted!.GrowAsync(megabytes: 256));

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (_mounted is not null)
            await _mounted.DisposeAsync();
        Directory.Delete(_disk, recursive: true);
        if (Directory.Exists(_data))
            Directory.Delete(_data, recursive: true);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }
}
