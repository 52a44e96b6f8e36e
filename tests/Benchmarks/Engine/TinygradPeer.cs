using System.Diagnostics;
using System.Text.Json;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary><c>tinygrad.llm</c> of the checkout with one file, warm, waiting to be measured.</summary>
internal sealed class TinygradPeer : IAsyncDisposable
{
    private readonly Process _process;

    private TinygradPeer(Process process) => _process = process;

    /// <exception cref="FleetFailure">It could not load the file.</exception>
    public static async Task<TinygradPeer> StartAsync(string model, CancellationToken cancellationToken)
    {
        var script = Path.Combine(Programs.Root, "tests", "Benchmarks", "peers", "tinygrad_llm.py");
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("EGPUFLEET_PYTHON") ?? "/usr/bin/python3",
            [script, model, $"{EngineSizes.ContextTokens}", $"{EngineSizes.Tokens}"]
        )
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PYTHONPATH"] = EngineBenchmark.Checkout;
        start.Environment["DEV"] = "CPU";
        // A setting of ours would be one of tinygrad's.
        start.Environment.Remove("NO_COLOR");
        var peer = new TinygradPeer(Process.Start(start)!);
        await peer.ReadAsync(cancellationToken);
        return peer;
    }

    /// <summary>Tokens a second of one sequence.</summary>
    public async Task<double> MeasureAsync(CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync("go".AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        using var answer = JsonDocument.Parse(await ReadAsync(cancellationToken));
        return answer.RootElement.GetProperty("tokens_s").GetDouble();
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
