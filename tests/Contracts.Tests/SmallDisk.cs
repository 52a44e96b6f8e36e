using System.Diagnostics;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests;

/// <summary>
/// A server whose one migrated database lies on a small disk, which really runs full; its log lies elsewhere. The server is
/// nobody else's: any of its sessions may be the one that has to write a page to the full disk, whatever its own database.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly string _disk = Path.Combine(Path.GetTempPath(), $"egpufleet-disk-{Guid.NewGuid():N}");
    private readonly string _data = Path.Combine(Path.GetTempPath(), $"egpufleet-test-{Guid.NewGuid():N}");
    private EmbeddedPostgres? _server;

    public const string SkipReason = "Needs Linux and the right to mount a small file system.";

    /// <summary>False: this machine does not allow it.</summary>
    public bool IsMounted { get; private set; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task MountAsync()
    {
        Directory.CreateDirectory(_disk);
        IsMounted =
            OperatingSystem.IsLinux()
            && Environment.IsPrivilegedProcess
            && await RunAsync("mount", "-t", "tmpfs", "-o", "size=48m,mode=0777", "tmpfs", _disk);
    }

    /// <summary>Its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var options = new EmbeddedPostgresOptions { DataDirectory = Path.Combine(_data, "postgres") };
        _server = await EmbeddedPostgres.StartAsync(options, NullLogger.Instance, Token);
        await using var source = NpgsqlDataSource.Create(_server.ConnectionString);
        await using (var owner = source.CreateCommand("select current_setting('data_directory')"))
        {
            var data = (string)(await owner.ExecuteScalarAsync(Token))!;
            Assert.True(await RunAsync("chown", $"--reference={data}", _disk));
        }
        await ExecuteAsync(source, $"create tablespace small location '{_disk}'");
        await ExecuteAsync(source, "create database on_small_disk tablespace small");
        var made = new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Database = "on_small_disk" };
        await Migrator.MigrateAsync(made.ConnectionString, NullLogger.Instance, Token);
        // The files of a new database have holes, which take room only when their pages are written.
        await ExecuteAsync(source, "checkpoint");
        return made.ConnectionString;
    }

    public async Task GrowAsync() => Assert.True(await RunAsync("mount", "-o", "remount,size=256m", _disk));

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        if (IsMounted)
            await RunAsync("umount", _disk);
        Directory.Delete(_disk, recursive: true);
        if (Directory.Exists(_data))
            Directory.Delete(_data, recursive: true);
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Token);
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }
        );
        await process!.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0;
    }
}
