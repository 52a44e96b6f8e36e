using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.Kernels.Tests.Models;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>
/// <c>fleet bench engine</c>: the tinygrad engine and <c>tinygrad.llm</c> read prompts and decode with the same file on the processor,
/// both warm, in turn in every round, beside the memory's speed; llama.cpp as well, where it is asked for.
/// </summary>
internal sealed class EngineBenchmark(EngineBench settings, FleetConsole console, TimeProvider clock)
{
    private const string Tinygrad = "EgpuFleet.Kernels.Tinygrad";
    private const string Llama = "EgpuFleet.Kernels.LlamaCpp";

    private readonly FigureBook _figures = new();
    private readonly Steps _steps = new(console, clock);

    /// <summary>The checkout of tinygrad that both sides run.</summary>
    /// <exception cref="FleetFailure">None is named.</exception>
    public static string Checkout =>
        Environment.GetEnvironmentVariable("EGPUFLEET_TINYGRAD") is { Length: > 0 } named
            ? named
            : throw new FleetFailure(
                "EGPUFLEET_TINYGRAD is not set.",
                "Check out tinygrad at a9069c177 and set it to that folder."
            );

    public static async Task<int> ExitCodeAsync(
        string json,
        FleetConsole console,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var settings = EngineBench.FromJson(json);
        var isMet = await new EngineBenchmark(settings, console, clock).RunAsync(cancellationToken);
        return isMet || !settings.Check ? ExitCodes.Ok : ExitCodes.Failed;
    }

    /// <summary>Returns whether all goals are met within their margins.</summary>
    private async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        _ = Checkout;
        using var scratch = new ScratchFolder();
        foreach (var kind in EngineSizes.Kinds)
            await MeasureAsync(kind, scratch, cancellationToken);
        var setting = new JsonObject
        {
            ["runs"] = settings.Runs,
            ["device"] = EngineSizes.Device,
            ["processors"] = Environment.ProcessorCount,
            ["context_tokens"] = EngineSizes.ContextTokens,
            ["prompt_tokens"] = EngineSizes.PromptTokens,
            ["tokens"] = EngineSizes.Tokens,
            ["long_prompt_tokens"] = EngineSizes.LongPromptTokens,
            ["seconds"] = Math.Round(_steps.Elapsed.TotalSeconds),
        };
        var report = new BenchReport(EngineBench.Verb, _figures, Budgets.Of(EngineBench.Verb), setting);
        console.Line();
        console.Table(BenchReport.Header, report.Rows);
        foreach (var line in report.GoalLines)
            console.Line(line);
        console.Output.WriteLine(report.JsonLine());
        return report.IsWithinMargins;
    }

    private async Task MeasureAsync(WeightKind kind, ScratchFolder scratch, CancellationToken cancellationToken)
    {
        var name = kind.ToString().ToLowerInvariant();
        var path = scratch.At($"{name}.gguf");
        new SyntheticModel(EngineSizes.Shape, kind).Write(path);
        _steps.Say($"{name}: loading and warming up");
        await using var peer = await TinygradPeer.StartAsync(path, clock, cancellationToken);
        await using var llama = settings.Llama
            ? await EngineWorker.StartAsync(Llama, scratch, clock, cancellationToken)
            : null;
        await using var ours = await EngineWorker.StartAsync(Tinygrad, scratch, clock, cancellationToken);
        var weightBytes = 0L;
        foreach (var worker in new[] { llama, ours }.OfType<EngineWorker>())
        {
            weightBytes = await worker.LoadAsync(path, EngineRounds.One, 1, cancellationToken);
            await worker.LoadAsync(path, EngineRounds.Several, EngineSizes.Sequences, cancellationToken);
        }
        var rounds = new EngineRounds(name, weightBytes, peer, ours, llama);
        _steps.Say($"{name}: a round that is not counted");
        var memory = new MemoryBandwidth(clock);
        await rounds.RunAsync(0, new FigureBook(), memory, cancellationToken);
        for (var run = 1; run <= settings.Runs; run++)
        {
            _steps.Say($"{name}: run {run} of {settings.Runs}");
            await rounds.RunAsync(run, _figures, memory, cancellationToken);
        }
    }
}
