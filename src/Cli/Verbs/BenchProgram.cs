using System.Diagnostics;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Verbs;

/// <summary>The benchmark program in <c>tests/Benchmarks</c>, as a process of its own.</summary>
internal static class BenchProgram
{
    /// <summary>Runs one of its verbs to the end; returns its exit code.</summary>
    public static async Task<int> RunAsync(string verb, string settings, CancellationToken cancellationToken)
    {
        var program = Path.Combine(
            Programs.Output(Path.Combine(Programs.Root, "tests", "Benchmarks")),
            "EgpuFleet.Benchmarks"
        );
        if (!File.Exists(program))
            throw new FleetFailure("The benchmarks are not built.", "Run ./fleet bench, which builds what is missing.");
        var start = new ProcessStartInfo(program, [verb, settings]) { UseShellExecute = false };
        using var process = Process.Start(start)!;
        // Ctrl-C reaches the benchmark too; a polite kill reaches only us. Either way it cleans up by itself.
        await using var stop = cancellationToken.Register(() => Native.Signal(process.Id, Native.SigTerm));
        await process.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode;
    }
}
