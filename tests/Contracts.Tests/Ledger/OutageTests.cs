using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>The server is stopped in the midst of it, or is away for longer than anybody tries again.</summary>
public sealed class OutageTests : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"egpufleet-outage-{Guid.NewGuid():N}");
    private EmbeddedPostgres _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataDirectory => Path.Combine(_folder, "postgres");

    public async ValueTask InitializeAsync() => _server = await StartAsync(port: null);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task What_was_acknowledged_survives_an_immediate_stop_and_writing_goes_on()
    {
        await Migrator.MigrateAsync(_server.ConnectionString, NullLogger.Instance, Token);
        await using var ledger = NewLedger();
        var rig = await LedgerRig.CreateAsync(ledger);
        var acknowledged = new List<JobId>();
        using var enough = new CancellationTokenSource();
        var submitting = Enumerable.Range(0, 8).Select(_ => SubmitUntilAsync(rig, acknowledged, enough.Token)).ToList();
        for (var stop = 0; stop < 3; stop++)
        {
            await MoreAsync(submitting, acknowledged, 200);
            await StopImmediatelyAsync();
            _server = await StartAsync(PortOf(_server));
            await MoreAsync(submitting, acknowledged, 200);
        }
        await enough.CancelAsync();
        await Task.WhenAll(submitting);
        var backlog = (await rig.BacklogAsync()).Select(job => job.Id).ToHashSet();
        Assert.Superset(acknowledged.ToHashSet(), backlog);
        Assert.Equal(acknowledged.Count, acknowledged.Distinct().Count());
    }

    [Fact]
    public async Task An_outage_beyond_the_retries_is_told_and_over_when_the_server_is_back()
    {
        await Migrator.MigrateAsync(_server.ConnectionString, NullLogger.Instance, Token);
        await using var ledger = NewLedger();
        var rig = await LedgerRig.CreateAsync(ledger);
        var job = await rig.SubmitAsync(1);
        await StopImmediatelyAsync();
        var told = await Assert.ThrowsAsync<LedgerUnavailableException>(() => rig.CommitAsync(LedgerRig.Cancel(job)));
        Assert.Equal(LedgerFault.NoAnswer, told.Fault);
        _server = await StartAsync(PortOf(_server));
        Assert.Equal(JobState.Queued, (await rig.FindAsync(job)).State);
        Assert.True((await rig.CommitAsync(LedgerRig.Cancel(job))).Applied);
    }

    private static async Task SubmitUntilAsync(LedgerRig rig, List<JobId> acknowledged, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var spec = rig.Spec(LedgerRig.NewId(), 1);
            try
            {
                // A turn whose answer was lost is told as what it was: applied.
                Assert.True((await rig.CommitAsync(LedgerRig.Inline(spec))).Applied);
                lock (acknowledged)
                    acknowledged.Add(spec.Id);
            }
            catch (LedgerUnavailableException)
            {
                // On a busy machine a restart may take longer than the retries: then nothing was promised.
            }
        }
    }

    private static async Task MoreAsync(List<Task> submitting, List<JobId> acknowledged, int count)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        var until = Count() + count;
        while (Count() < until && !submitting.Exists(task => task.IsFaulted))
            await poll.WaitForNextTickAsync(Token);

        int Count()
        {
            lock (acknowledged)
                return acknowledged.Count;
        }
    }

    private PostgresLedger NewLedger() =>
        new(_server.ConnectionString, TimeProvider.System, NullLoggerFactory.Instance);

    private Task<EmbeddedPostgres> StartAsync(int? port) =>
        EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { DataDirectory = DataDirectory, Port = port },
            NullLogger.Instance,
            Token
        );

    /// <summary>SIGQUIT to the postmaster: every backend dies where it stands, and the next start replays the log.</summary>
    private async Task StopImmediatelyAsync()
    {
        var file = await File.ReadAllLinesAsync(Path.Combine(DataDirectory, "postmaster.pid"), Token);
        using var kill = System.Diagnostics.Process.Start("kill", ["-QUIT", file[0]]);
        await kill.WaitForExitAsync(Token);
        await _server.DisposeAsync();
    }

    private static int PortOf(EmbeddedPostgres server) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString).Port;
}
