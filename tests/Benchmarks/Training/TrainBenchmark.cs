using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;

namespace EgpuFleet.Benchmarks.Training;

/// <summary>
/// <c>fleet bench train</c>: steps of a small model on one thread beside a product of two matrices on the same thread, in turn,
/// in the Torch engine's own program.
/// </summary>
internal sealed class TrainBenchmark(TrainBench settings, FleetConsole console, TimeProvider clock)
{
    private const string Program = "EgpuFleet.Kernels.Torch";

    /// <summary>A multiplication and an addition forward, twice as many on the way back.</summary>
    private const double FlopsPerWeight = 6;

    private readonly FigureBook _figures = new();
    private readonly Steps _steps = new(console, clock);

    public static async Task<int> ExitCodeAsync(
        string json,
        FleetConsole console,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var settings = TrainBench.FromJson(json);
        var isMet = await new TrainBenchmark(settings, console, clock).RunAsync(cancellationToken);
        return isMet || !settings.Check ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>Returns whether all goals are met within their margins.</summary>
    private async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(
            Path.Combine(Programs.Output(Path.Combine(Programs.Root, "src", "Kernels", "Torch")), Program),
            ["measure", $"{settings.Runs}"]
        )
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        await using var end = cancellationToken.Register(() => process.Kill());
        _steps.Say("a round that is not counted");
        for (var run = 1; await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line; run++)
        {
            Add(JsonDocument.Parse(line).RootElement);
            _steps.Say($"run {run} of {settings.Runs}");
        }
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            throw new FleetFailure($"{Program} ended with {process.ExitCode}.");
        var setting = new JsonObject
        {
            ["runs"] = settings.Runs,
            ["threads"] = 1,
            ["shape"] = "width 256, 6 layers, vocabulary 4096, batch 8 x 128",
            ["gemm"] = "2048 x 2048 x 2048, f32",
            ["processors"] = Environment.ProcessorCount,
            ["seconds"] = Math.Round(_steps.Elapsed.TotalSeconds),
        };
        var report = new BenchReport(TrainBench.Verb, _figures, Budgets.Of(TrainBench.Verb), setting);
        console.Line();
        console.Table(BenchReport.Header, report.Rows);
        foreach (var goal in report.GoalLines)
            console.Line(goal);
        console.Output.WriteLine(report.JsonLine());
        return report.IsWithinMargins;
    }

    private void Add(JsonElement round)
    {
        var gemm = round.GetProperty("gemm_flops").GetDouble();
        var flopsPerToken = FlopsPerWeight * round.GetProperty("working_parameters").GetDouble();
        var full = round.GetProperty("full_tokens").GetDouble();
        var lora = round.GetProperty("lora_tokens").GetDouble();
        _figures.Add("gemm_ratio", full * flopsPerToken / gemm);
        _figures.Add("lora_ratio", lora * flopsPerToken / gemm);
        _figures.Add("full_tokens_s", full);
        _figures.Add("lora_tokens_s", lora);
        _figures.Add("gemm_gflops", gemm / 1e9);
    }
}
