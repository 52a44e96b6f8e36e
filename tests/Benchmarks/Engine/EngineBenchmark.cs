using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Fleet;
using EgpuFleet.Benchmarks.Reports;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;
using EgpuFleet.Kernels.Tests.Models;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>
/// <c>fleet bench engine</c>: the tinygrad engine, <c>tinygrad.llm</c> and llama.cpp decode with the same file on the processor, all
/// warm, in turn in every run, beside the memory's speed.
/// </summary>
internal sealed class EngineBenchmark(EngineBench settings, FleetConsole console, TimeProvider clock)
{
    private const string Tinygrad = "EgpuFleet.Kernels.Tinygrad";
    private const string Llama = "EgpuFleet.Kernels.LlamaCpp";
    private static readonly string One = new('1', 64);
    private static readonly string Several = new('8', 64);
    private const double Giga = 1e9;

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

    /// <summary>Returns whether all goals are met within their margins.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        _ = Checkout;
        using var scratch = new ScratchFolder();
        foreach (var kind in new[] { WeightKind.F32, WeightKind.Q8_0 })
            await MeasureAsync(kind, scratch, cancellationToken);
        var setting = new JsonObject
        {
            ["runs"] = settings.Runs,
            ["processors"] = Environment.ProcessorCount,
            ["context_tokens"] = EngineSizes.ContextTokens,
            ["tokens"] = EngineSizes.Tokens,
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
        await using var peer = await TinygradPeer.StartAsync(path, cancellationToken);
        await using var llama = await EngineWorker.StartAsync(Llama, scratch, clock, cancellationToken);
        await using var ours = await EngineWorker.StartAsync(Tinygrad, scratch, clock, cancellationToken);
        var weightBytes = 0L;
        foreach (var worker in new[] { llama, ours })
        {
            weightBytes = await worker.LoadAsync(path, One, 1, cancellationToken);
            await worker.LoadAsync(path, Several, EngineSizes.Sequences, cancellationToken);
        }
        var memory = new MemoryBandwidth(clock);
        for (var run = 0; run < settings.Runs; run++)
        {
            _steps.Say($"{name}: run {run + 1} of {settings.Runs}");
            _figures.Add("memory_gb_s", memory.Measure());
            var theirs = await peer.MeasureAsync(cancellationToken);
            var one = await ours.MeasureAsync(One, 1, run, cancellationToken);
            var several = await ours.MeasureAsync(Several, EngineSizes.Sequences, run, cancellationToken);
            _figures.Add($"{name}_decode_1", one);
            _figures.Add($"{name}_decode_8", several);
            _figures.Add($"{name}_ratio", one / theirs);
            _figures.Add($"{name}_gain_8", several / one);
            _figures.Add($"{name}_weights_gb_s", one * weightBytes / Giga);
            _figures.Add($"tinygrad_llm.{name}_decode_1", theirs);
            _figures.Add($"llama_cpp.{name}_decode_1", await llama.MeasureAsync(One, 1, run, cancellationToken));
            _figures.Add(
                $"llama_cpp.{name}_decode_8",
                await llama.MeasureAsync(Several, EngineSizes.Sequences, run, cancellationToken)
            );
        }
    }
}
