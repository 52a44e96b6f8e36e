using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Supervision;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet demo</c>: a fleet, the sample model, a batch of 200 prompts, and how to go on from there.</summary>
internal static class DemoVerb
{
    private static readonly Option<bool> Exit = new("--exit")
    {
        Description = "Stop what the demo started, and succeed only if every prompt was answered",
    };

    public static Command Create()
    {
        var command = new Command("demo", "Start a fleet where none runs, and run a sharded batch of 200 prompts")
        {
            UpSettings.Agents,
            UpSettings.Port,
            Exit,
        };
        command.SetAction(RunAsync);
        return command.WithExamples("./fleet demo", "./fleet demo --exit", "./fleet demo --port 4790 --data /tmp/demo");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var steps = new Steps(invocation.Console, invocation.Clock);
        var options = UpSettings.Read(parsed, invocation.Data);
        await using var supervisor = new Supervisor(options, invocation.Clock, steps.Say);
        try
        {
            var isOurs = !invocation.IsGatewayGiven && supervisor.TryLock();
            if (isOurs)
            {
                steps.Say($"starting a silo and {options.Agents} agents (logs: {invocation.Paths.Logs})");
                await supervisor.StartAsync(cancellationToken);
            }
            else
            {
                steps.Say($"using the fleet that runs at {invocation.Gateway.ToString().TrimEnd('/')}");
                await new GatewayWatch(invocation.Http, invocation.Clock).UntilReadyAsync(_ => { }, cancellationToken);
            }
            var batch = new DemoBatch(invocation, steps);
            if (isOurs)
                await supervisor.WhileUpAsync(batch.RunAsync, cancellationToken);
            else
                await batch.RunAsync(cancellationToken);
            if (isOurs && !parsed.GetValue(Exit))
            {
                invocation.Console.Line("The fleet keeps running; Ctrl-C stops it.");
                await supervisor.RunAsync(cancellationToken);
            }
            if (isOurs)
                steps.Say("stopping the agents, then the silo");
            return batch.IsComplete ? ExitCodes.Ok : ExitCodes.Failed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            steps.Say("stopped before the batch was done");
            return ExitCodes.Failed;
        }
    }
}
