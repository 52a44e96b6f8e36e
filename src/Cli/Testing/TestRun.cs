using System.Diagnostics;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Testing;

/// <summary>Runs one test executable and reads what it reports.</summary>
/// <param name="seeds">Simulated fleets to run; null: as many as usual.</param>
/// <param name="echo">Gets what the tests print; null: nobody does.</param>
internal sealed class TestRun(string? filter, int? seeds, Action<string>? echo, TimeProvider clock)
{
    private const string SeedCount = "EGPUFLEET_SIM_SEEDS";
    private const string ProfiledTiers = "DOTNET_TieredPGO";

    public async Task<ProjectOutcome> RunAsync(TestProject project, CancellationToken cancellationToken)
    {
        if (!File.Exists(project.Executable))
            throw new FleetFailure($"{project.Name} is not built.", "Run ./fleet test, which builds what is missing.");
        var results = Path.Combine(Path.GetTempPath(), $"fleet-test-{Environment.ProcessId}-{project.Name}.xml");
        var start = clock.GetTimestamp();
        try
        {
            using var process = Start(project, results);
            var output = new OutputTail(echo);
            var pumps = Task.WhenAll(output.ReadAsync(process.StandardOutput), output.ReadAsync(process.StandardError));
            var exitCode = await WaitAsync(process, cancellationToken);
            // A grandchild may keep the pipes open for longer than the tests ran.
            await Task.WhenAny(pumps, Task.Delay(TimeSpan.FromSeconds(1), clock, cancellationToken));
            var xml = File.Exists(results) ? await File.ReadAllTextAsync(results, cancellationToken) : null;
            return TestReport.Read(project.Name, clock.GetElapsedTime(start), xml, exitCode, output.ToString());
        }
        finally
        {
            File.Delete(results);
        }
    }

    private Process Start(TestProject project, string results)
    {
        List<string> arguments = ["-noLogo", "-noColor", "-xml", results];
        if (filter is not null)
            arguments.AddRange(["-displayName", $"*{filter}*"]);
        var start = new ProcessStartInfo(project.Executable, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(project.Executable),
        };
        // The processes of a test live for seconds: what it costs to profile their code is never earned back.
        start.Environment[ProfiledTiers] = "0";
        if (seeds is { } count)
            start.Environment[SeedCount] = count.ToString();
        return Process.Start(start)!;
    }

    /// <summary>Null when it took too long.</summary>
    private async Task<int?> WaitAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            await process
                .WaitForExitAsync(cancellationToken)
                .WaitAsync(Limits.TestProjectTimeout, clock, cancellationToken);
            return process.ExitCode;
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            return null;
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C has reached the tests too, which clean up; only one that does not is ended.
            Native.Signal(process.Id, Native.SigTerm);
            await Task.WhenAny(
                process.WaitForExitAsync(CancellationToken.None),
                Task.Delay(Limits.StopGrace, clock, CancellationToken.None)
            );
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
            throw;
        }
    }
}
