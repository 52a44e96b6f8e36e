using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.TestKit.Fleet;

namespace EgpuFleet.Benchmarks.Checkpoints;

/// <summary>
/// <c>fleet bench checkpoint</c>: an agent's client saves a state through a silo into Postgres and restores it, over
/// loopback HTTP, beside it over HTTPS, and bare COPY does the same with the same chunks in the same table. Every round does
/// all, in turns first, with a new state and an empty table. Nothing trains meanwhile; what training waits for checkpoints
/// is measured afterwards.
/// </summary>
internal sealed class CheckpointBenchmark(CheckpointBench settings, FleetConsole console, TimeProvider clock)
{
    private const int Tensors = 5;
    private const int WarmupBytes = 100_000_000;

    /// <summary>Until the programs are compiled as they are in a silo that has been up for a minute.</summary>
    private const int WarmupRounds = 3;

    private readonly FigureBook _figures = new();
    private readonly Steps _steps = new(console, clock);

    /// <param name="json">Of a <see cref="CheckpointBench"/>.</param>
    public static async Task<int> ExitCodeAsync(
        string json,
        FleetConsole console,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var settings = CheckpointBench.FromJson(json);
        var isGood = await new CheckpointBenchmark(settings, console, clock).RunAsync(cancellationToken);
        return isGood || !settings.Check ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>Returns whether all goals are met within their margins.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        using var scratch = new ScratchFolder();
        _steps.Say($"starting Postgres and a silo in {scratch.Path}");
        await using var postgres = await BenchPostgres.StartAsync(scratch, cancellationToken);
        var database = await postgres.CreateDatabaseAsync(cancellationToken);
        await using var fleet = await BenchFleet.StartAsync(scratch.At("fleet"), database, clock, cancellationToken);
        var credential = new AuthenticationHeaderValue("Bearer", await fleet.EnrolAsync(cancellationToken));
        using var http = new HttpClient { BaseAddress = fleet.Gateway, Timeout = Timeout.InfiniteTimeSpan };
        using var https = await HttpsCheckpoints.StartAsync(database, cancellationToken);
        http.DefaultRequestHeaders.Authorization = https.Client.DefaultRequestHeaders.Authorization = credential;
        await using var raw = new RawChunks(database);
        var shard = await TrainingShard.LeaseAsync(database, new NodeId(BenchFleet.Node), clock, cancellationToken);
        var lease = new TrainingLease(shard, 1);
        CheckpointSide[] sides =
        [
            new("", new CheckpointClient(http)),
            new("https_", new CheckpointClient(https.Client)),
        ];
        var round = new CheckpointRound(sides, raw, lease, clock);
        _steps.Say("warming up");
        for (var i = 0; i < WarmupRounds; i++)
            await round.RunAsync(State(WarmupBytes), isRawFirst: false, new FigureBook(), cancellationToken);
        var bytes = settings.Megabytes * 1_000_000;
        for (var run = 1; run <= settings.Runs; run++)
        {
            _steps.Say($"run {run} of {settings.Runs}: {settings.Megabytes} MB there and back");
            await round.RunAsync(State(bytes), isRawFirst: run % 2 == 1, _figures, cancellationToken);
        }
        if (settings.TrainSeconds > 0)
        {
            _steps.Say($"training for {settings.TrainSeconds} s beside its checkpoints");
            var stall = new StallRun(fleet.Gateway, lease, settings.TrainSeconds, clock);
            await stall.RunAsync(scratch, fleet.CredentialFile, _figures, cancellationToken);
        }
        return await ReportAsync(await postgres.SettingsAsync(cancellationToken), cancellationToken);
    }

    private async Task<bool> ReportAsync(
        IReadOnlyDictionary<string, string> postgres,
        CancellationToken cancellationToken
    )
    {
        var setting = new JsonObject
        {
            ["runs"] = settings.Runs,
            ["megabytes"] = settings.Megabytes,
            ["processors"] = Environment.ProcessorCount,
            ["transport"] = "loopback",
            ["train_seconds"] = settings.TrainSeconds,
            ["postgres"] = new JsonObject(postgres.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
            ["seconds"] = Math.Round(_steps.Elapsed.TotalSeconds),
        };
        var report = new BenchReport(CheckpointBench.Verb, _figures, Budgets.Of(CheckpointBench.Verb), setting);
        console.Line();
        console.Table(BenchReport.Header, report.Rows);
        console.Line();
        foreach (var line in report.GoalLines)
            console.Line("  " + line);
        console.Line();
        var json = report.JsonLine();
        if (settings.JsonFile is { } file)
            await File.WriteAllTextAsync(file, json + Environment.NewLine, cancellationToken);
        console.Output.WriteLine(json);
        return report.IsWithinMargins;
    }

    /// <summary>Bytes that neither compress nor occur twice.</summary>
    private static NamedBuffer[] State(int bytes) =>
        [
            .. Enumerable
                .Range(0, Tensors)
                .Select(i => new NamedBuffer(
                    $"tensor.{i}",
                    ElementType.F32,
                    [bytes / Tensors / 4],
                    RandomNumberGenerator.GetBytes(bytes / Tensors / 4 * 4)
                )),
        ];
}
