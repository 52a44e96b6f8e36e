using System.Diagnostics;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests;

/// <summary>A migrated database whose tables lie on a small disk of its own, which really runs full; its log lies elsewhere.</summary>
internal sealed class SmallDisk(ScratchPostgres server, string name) : IAsyncDisposable
{
    private readonly string _disk = Path.Combine(Path.GetTempPath(), $"egpufleet-disk-{Guid.NewGuid():N}");

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
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using (var owner = source.CreateCommand("select current_setting('data_directory')"))
        {
            var data = (string)(await owner.ExecuteScalarAsync(Token))!;
            Assert.True(await RunAsync("chown", $"--reference={data}", _disk));
        }
        await ExecuteAsync($"create tablespace {name} location '{_disk}'");
        await ExecuteAsync($"create database on_{name} tablespace {name}");
        var made = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = $"on_{name}" };
        await Migrator.MigrateAsync(made.ConnectionString, NullLogger.Instance, Token);
        return made.ConnectionString;
    }

    public async Task GrowAsync() => Assert.True(await RunAsync("mount", "-o", "remount,size=256m", _disk));

    public async ValueTask DisposeAsync()
    {
        if (IsMounted)
        {
            // The server would not find its way to a checkpoint while it knows of files that are gone.
            await ExecuteAsync($"drop database if exists on_{name} with (force)");
            await ExecuteAsync($"drop tablespace if exists {name}");
            await RunAsync("umount", _disk);
        }
        Directory.Delete(_disk, recursive: true);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(CancellationToken.None);
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
