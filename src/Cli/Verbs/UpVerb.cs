using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet up</c>: a silo and local agents, in the foreground or apart.</summary>
internal static class UpVerb
{
    private static readonly Option<bool> Detach = new("--detach")
    {
        Description = "Return when the fleet is ready and leave it running in the background",
    };

    public static Command Create()
    {
        var command = new Command("up", "Start a fleet on this machine; Ctrl-C stops it")
        {
            UpSettings.Agents,
            UpSettings.Port,
            Detach,
        };
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet up                       two agents, gateway on http://127.0.0.1:4780",
            "./fleet up --detach              in the background; ./fleet down stops it",
            "./fleet up --agents 4 --port 4790 --data /tmp/second-fleet"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var options = UpSettings.Read(parsed, invocation.Data);
        var steps = new Steps(invocation.Console, invocation.Clock);
        if (parsed.GetValue(Detach))
            return await DetachAsync(invocation, options, steps, cancellationToken);

        await using var supervisor = new Supervisor(options, invocation.Clock, steps.Say);
        if (!supervisor.TryLock())
            return FleetReport.AlreadyRunning(invocation);
        try
        {
            steps.Say($"starting a silo and {options.Agents} agents (logs: {invocation.Paths.Logs})");
            await supervisor.StartAsync(cancellationToken);
            FleetReport.Ready(invocation, options, steps.Elapsed);
            await supervisor.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            steps.Say("stopped before it was ready");
        }
        steps.Say("stopping the agents, then the silo");
        return ExitCodes.Ok;
    }

    private static async Task<int> DetachAsync(
        Invocation invocation,
        UpOptions options,
        Steps steps,
        CancellationToken cancellationToken
    )
    {
        steps.Say($"starting a silo and {options.Agents} agents in the background (logs: {invocation.Paths.Logs})");
        if (!await DetachedFleet.StartAsync(options, invocation.Clock, cancellationToken))
            return FleetReport.AlreadyRunning(invocation);
        FleetReport.Ready(invocation, options, steps.Elapsed);
        return ExitCodes.Ok;
    }
}
