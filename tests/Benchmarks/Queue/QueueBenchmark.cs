using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Peer;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;

namespace EgpuFleet.Benchmarks.Queue;

/// <summary>
/// <c>fleet bench queue</c>: every run measures us, then each peer, so that a machine that changes its speed changes it for
/// all. Prints a table, the goals, and one line of JSON at the end.
/// </summary>
internal sealed class QueueBenchmark(QueueBench settings, FleetConsole console, TimeProvider clock)
{
    private const string Graphile = "graphile_worker";
    private const string Bull = "bullmq";
    private const string DurableBull = "bullmq_fsync";

    private readonly FigureBook _figures = new();
    private readonly QueueSizes _sizes = settings.Quick ? QueueSizes.Quick : QueueSizes.Full;
    private readonly Steps _steps = new(console, clock);
    private int _runs;

    /// <summary>Returns whether all goals are met within their margins, as far as they were measured.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var runs = settings.Quick ? 1 : settings.Runs;
        using var scratch = new ScratchFolder();
        _steps.Say($"starting Postgres in {scratch.Path}");
        await using var postgres = await BenchPostgres.StartAsync(scratch, cancellationToken);
        var setting = Setting(runs, await postgres.SettingsAsync(cancellationToken));
        var peers = settings.Peers ? await InstallPeersAsync(scratch, cancellationToken) : null;
        for (_runs = 1; _runs <= runs; _runs++)
        {
            var ours = Ours(scratch, postgres, $"run {_runs} of {runs}: ");
            if (_runs == 1 && settings.Wants("submit"))
                await ours.LoadLimitAsync(cancellationToken);
            await ours.RunAsync(cancellationToken);
            if (peers is not null)
                await PeersAsync(peers, scratch, postgres, $"run {_runs} of {runs}: ", cancellationToken);
        }
        if (settings.Million)
            await Ours(scratch, postgres, "once: ").MillionAsync(cancellationToken);
        setting["seconds"] = Math.Round(_steps.Elapsed.TotalSeconds);
        var report = new BenchReport(QueueBench.Verb, _figures, Budgets.Of(QueueBench.Verb), setting);
        await PrintAsync(report, cancellationToken);
        return report.IsWithinMargins;
    }

    private OurRun Ours(ScratchFolder scratch, BenchPostgres postgres, string prefix) =>
        new(settings, _sizes, scratch, postgres, _figures, what => _steps.Say(prefix + what), clock);

    private async Task<string> InstallPeersAsync(ScratchFolder scratch, CancellationToken cancellationToken)
    {
        _steps.Say("installing graphile-worker and BullMQ from npm");
        return await NpmFolder.InstallAsync(scratch, cancellationToken);
    }

    private async Task PeersAsync(
        string folder,
        ScratchFolder scratch,
        BenchPostgres postgres,
        string prefix,
        CancellationToken cancellationToken
    )
    {
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        var run = new PeerRun(folder, _sizes, PeerPhases(), what => _steps.Say($"{prefix}graphile-worker: {what}"));
        Keep(Graphile, await run.GraphileAsync(database, cancellationToken));
        await postgres.DropDatabaseAsync(database, cancellationToken);
        foreach (var (name, appendFsync) in new[] { (Bull, "everysec"), (DurableBull, "always") })
        {
            await postgres.CheckpointAsync(cancellationToken);
            var data = scratch.At($"{name}-{_runs}");
            await using (var redis = await RedisServer.StartAsync(data, appendFsync, clock, cancellationToken))
            {
                var bull = new PeerRun(folder, _sizes, PeerPhases(), what => _steps.Say($"{prefix}{name}: {what}"));
                Keep(name, await bull.BullAsync(redis.Port, cancellationToken));
            }
            Directory.Delete(data, recursive: true);
        }
    }

    private string[] PeerPhases() => [.. settings.Only];

    private void Keep(string peer, IReadOnlyDictionary<string, double> figures)
    {
        foreach (var (figure, value) in figures)
            _figures.Add($"{peer}.{figure}", value);
    }

    private async Task PrintAsync(BenchReport report, CancellationToken cancellationToken)
    {
        console.Line();
        console.Table(BenchReport.Header, report.Rows);
        console.Line();
        console.Line(settings.Quick ? "Goals (of a quick run: they say nothing):" : "Goals:");
        foreach (var line in report.GoalLines)
            console.Line("  " + line);
        console.Line();
        var json = report.JsonLine();
        if (settings.JsonFile is { } file)
            await File.WriteAllTextAsync(file, json + Environment.NewLine, cancellationToken);
        console.Output.WriteLine(json);
    }

    private JsonObject Setting(int runs, IReadOnlyDictionary<string, string> postgres) =>
        new()
        {
            ["runs"] = runs,
            ["quick"] = settings.Quick,
            ["processors"] = Environment.ProcessorCount,
            ["postgres"] = new JsonObject(postgres.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
            ["submits_counted_seconds"] = _sizes.Seconds,
            ["bulk"] = $"{QueueSizes.BulkClients} clients, {QueueSizes.BulkJobs} jobs a call",
            ["e2e_jobs"] = _sizes.EndToEndJobs,
            ["drain_jobs"] = _sizes.DrainJobs,
            ["peer_drain_jobs"] = _sizes.PeerDrainJobs,
            ["latency_samples"] = _sizes.LatencySamples,
            ["bullmq"] = "appendfsync everysec (loses up to a second of acknowledged jobs)",
            ["bullmq_fsync"] = "appendfsync always",
        };
}
