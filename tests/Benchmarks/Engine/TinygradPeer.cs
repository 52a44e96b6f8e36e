using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary><c>tinygrad.llm</c> of the checkout with one file, warm, waiting to be measured.</summary>
internal sealed class TinygradPeer : IAsyncDisposable
{
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "LANG", "XDG_CACHE_HOME", "CACHEDB"];

    private readonly Process _process;

    private TinygradPeer(Process process) => _process = process;

    /// <exception cref="FleetFailure">It could not load the file.</exception>
    public static async Task<TinygradPeer> StartAsync(
        string model,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var script = Path.Combine(Programs.Root, "tests", "Benchmarks", "peers", "tinygrad_llm.py");
        var python = await TinygradPython.FindAsync(new HostCommand(clock), cancellationToken);
        if (python is not { Fits: true, Path: { } interpreter })
            throw new FleetFailure($"There is no Python {TinygradPython.Oldest} or newer with numpy.");
        var start = new ProcessStartInfo(interpreter, ["-P", script, model, $"{EngineSizes.ContextTokens}"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        // tinygrad reads its settings from dozens of plain names: it gets its defaults, as our worker's child does.
        var inherited = Inherited.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        start.Environment.Clear();
        foreach (var (name, value) in inherited.Where(pair => pair.Value is not null))
            start.Environment[name] = value;
        start.Environment["PYTHONPATH"] = EngineBenchmark.Checkout;
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        start.Environment["DEV"] = EngineSizes.Device;
        start.Environment["NUM_CPU_THREADS"] = $"{Environment.ProcessorCount}";
        var peer = new TinygradPeer(Process.Start(start)!);
        await peer.ReadAsync(cancellationToken);
        return peer;
    }

    /// <summary>Generates one sequence.</summary>
    public async Task<Generated> GenerateAsync(int[] prompt, int tokens, CancellationToken cancellationToken)
    {
        var line = JsonSerializer.Serialize(new { prompt, tokens });
        await _process.StandardInput.WriteLineAsync(line.AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        using var answer = JsonDocument.Parse(await ReadAsync(cancellationToken));
        return new Generated(
            answer.RootElement.GetProperty("first_s").GetDouble(),
            answer.RootElement.GetProperty("rest_s").GetDouble()
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task<string> ReadAsync(CancellationToken cancellationToken) =>
        await _process.StandardOutput.ReadLineAsync(cancellationToken)
        ?? throw new FleetFailure("tinygrad.llm ended; what it said stands above.");
}
