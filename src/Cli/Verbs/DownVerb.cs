using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Processes;
using EgpuFleet.Cli.Supervision;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet down</c>: stops the fleet of this data directory, and nothing else.</summary>
internal static class DownVerb
{
    private sealed record Outcome(bool Stopped, string Data);

    public static Command Create()
    {
        var command = new Command("down", "Stop the fleet of the data directory");
        command.SetAction(RunAsync);
        return command.WithExamples("./fleet down", "./fleet down --data /tmp/second-fleet");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var stopped = Directory.Exists(invocation.Data) && await StopAsync(invocation, cancellationToken);
        var text = stopped ? $"Stopped the fleet on {invocation.Data}." : $"No fleet is running on {invocation.Data}.";
        invocation.Console.Show(new Outcome(stopped, invocation.Data), _ => invocation.Console.Line(text));
        return ExitCodes.Ok;
    }

    private static async Task<bool> StopAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var paths = invocation.Paths;
        var supervisor = FleetFile.Read(paths.FleetFile)?.Supervisor;
        var wasUp = supervisor is { IsAlive: true };
        if (wasUp)
            await supervisor!.StopAsync(Limits.DownTimeout, invocation.Clock, cancellationToken);
        using var taken = DataLock.TryTake(paths);
        if (taken is null)
        {
            throw new FleetFailure(
                $"A fleet is just starting on {paths.Data}.",
                "Wait until it is ready, then run ./fleet down again."
            );
        }
        var leftovers = new Leftovers(paths, invocation.Clock, line => invocation.Console.Line(line));
        return await leftovers.StopAsync(cancellationToken) || wasUp;
    }
}
