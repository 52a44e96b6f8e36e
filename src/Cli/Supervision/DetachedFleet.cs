using System.Diagnostics;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;

namespace EgpuFleet.Cli.Supervision;

/// <summary><c>up --detach</c>: this program again, in a session of its own, and a wait until it says that it is ready.</summary>
internal static class DetachedFleet
{
    /// <summary>False when a fleet runs on the directory already.</summary>
    /// <exception cref="FleetFailure">It did not become ready.</exception>
    public static async Task<bool> StartAsync(
        UpOptions options,
        TimeProvider clock,
        CancellationToken cancellationToken
    )
    {
        var paths = new FleetPaths(options.Data);
        paths.Create();
        if (DataLock.IsHeld(paths))
            return false;
        var log = paths.Log("fleet");
        File.Delete(log);
        using var background = Start(options, log);
        var exited = background.WaitForExitAsync(cancellationToken);
        while (
            FleetFile.Read(paths.FleetFile) is not { ReadyAt: not null } state || state.Supervisor.Pid != background.Id
        )
        {
            if (exited.IsCompleted)
                return DataLock.IsHeld(paths) ? false : throw DidNotStart(log);
            await Task.WhenAny(exited, Task.Delay(Limits.HealthInterval, clock, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
        }
        return true;
    }

    private static Process Start(UpOptions options, string log)
    {
        var (file, arguments) = SessionExec.Command(
            Programs.Cli,
            ["up", "--data", options.Data, "--agents", options.Agents.ToString(), "--port", options.Port.ToString()],
            log
        );
        return Process.Start(new ProcessStartInfo(file, arguments))!;
    }

    private static FleetFailure DidNotStart(string log)
    {
        var lines = File.Exists(log) ? File.ReadLines(log).TakeLast(Limits.LogLinesQuoted) : [];
        return new FleetFailure(
            $"The fleet did not start:{Environment.NewLine}{string.Join(Environment.NewLine, lines)}",
            $"Read its log: {log}"
        );
    }
}
