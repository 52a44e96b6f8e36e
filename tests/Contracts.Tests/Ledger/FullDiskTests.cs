using System.Diagnostics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using EgpuFleet.TestKit.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>A database on a small disk of its own that really runs full.</summary>
public sealed class FullDiskTests(ScratchPostgres server) : IAsyncLifetime
{
    private readonly string _disk = Path.Combine(Path.GetTempPath(), $"egpufleet-disk-{Guid.NewGuid():N}");
    private bool _isMounted;
    private int _seed;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_disk);
        _isMounted =
            OperatingSystem.IsLinux()
            && Environment.IsPrivilegedProcess
            && await RunAsync("mount", "-t", "tmpfs", "-o", "size=48m,mode=0777", "tmpfs", _disk);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
        {
            // The server would not find its way to a checkpoint while it knows of files that are gone.
            await ExecuteAsync("drop database if exists on_small_disk with (force)");
            await ExecuteAsync("drop tablespace if exists small");
            await RunAsync("umount", _disk);
        }
        Directory.Delete(_disk, recursive: true);
    }

    [Fact]
    public async Task Writes_fail_with_the_reason_nothing_is_lost_and_room_ends_it()
    {
        Assert.SkipUnless(_isMounted, "Needs Linux and the right to mount a small file system.");
        await using var ledger = new PostgresLedger(
            await CreateDatabaseAsync(),
            TimeProvider.System,
            NullLoggerFactory.Instance
        );
        var rig = await LedgerRig.CreateAsync(ledger);
        // Its connection is kept: a new one may have to write before it can read.
        Assert.Empty(await rig.BacklogAsync());
        var acknowledged = new List<JobId>();
        LedgerUnavailableException? full = null;
        while (full is null)
        {
            try
            {
                acknowledged.Add(await SubmitBulkyAsync(rig));
            }
            catch (LedgerUnavailableException e)
            {
                full = e;
            }
        }
        Assert.Equal(LedgerFault.DiskFull, full.Fault);
        Assert.Contains("disk", full.Message, StringComparison.Ordinal);
        Assert.Equal(acknowledged, (await rig.BacklogAsync()).Select(job => job.Id));
        Assert.True(await RunAsync("mount", "-o", "remount,size=256m", _disk));
        acknowledged.Add(await SubmitBulkyAsync(rig));
        Assert.Equal(acknowledged, (await rig.BacklogAsync()).Select(job => job.Id));
        Assert.True((await rig.CommitAsync(LedgerRig.Cancel(acknowledged[0]))).Applied);
    }

    /// <summary>Text that does not compress: what is stored is as large as what was sent.</summary>
    private async Task<JobId> SubmitBulkyAsync(LedgerRig rig)
    {
        var random = new Random(_seed++);
        var bytes = new byte[200_000];
        random.NextBytes(bytes);
        var spec = rig.Spec(LedgerRig.NewId(), 1);
        var items = LedgerRig.ItemList(1, _ => Convert.ToBase64String(bytes));
        Assert.True((await rig.CommitAsync(new LedgerOperation.SubmitJob(spec, null, items))).Applied);
        return spec.Id;
    }

    /// <summary>Its tables lie on the small disk; the log stays where it is.</summary>
    private async Task<string> CreateDatabaseAsync()
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using (var owner = source.CreateCommand("select current_setting('data_directory')"))
        {
            var data = (string)(await owner.ExecuteScalarAsync(Token))!;
            Assert.True(await RunAsync("chown", $"--reference={data}", _disk));
        }
        await ExecuteAsync($"create tablespace small location '{_disk}'");
        await ExecuteAsync("create database on_small_disk tablespace small");
        var made = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "on_small_disk" };
        await Migrator.MigrateAsync(made.ConnectionString, NullLogger.Instance, Token);
        return made.ConnectionString;
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
