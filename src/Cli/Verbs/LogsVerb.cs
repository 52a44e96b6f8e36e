using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet logs</c>: the event log of a job, or what the processes of the local fleet wrote.</summary>
internal static class LogsVerb
{
    private static readonly Argument<string?> Of = new("OF")
    {
        Description = "A job's id, or a process: silo, local-1, …; left out: the end of every process's log",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Go on with what comes" };

    private static readonly Option<int> Lines = new Option<int>("--lines", "-n")
    {
        Description = "Last lines of a process's log",
        DefaultValueFactory = _ => 50,
        HelpName = "N",
    }.Within(1, Limits.LogLinesShown);

    public static Command Create()
    {
        var command = new Command("logs", "Show the log of a job or of the fleet's processes") { Of, Follow, Lines };
        command.SetAction(RunAsync);
        return command.WithExamples("./fleet logs JOB -f", "./fleet logs silo", "./fleet logs local-1 -n 200 -f");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var lines = parsed.GetValue(Lines);
        if (parsed.GetValue(Of) is not { } name)
            return ShowAll(invocation, lines);
        // Only a plain name can be a process's log; anything else is a job's id and goes to the gateway.
        var file = invocation.Paths.Log(Path.GetFileName(name));
        if (!File.Exists(file))
            await ShowJobAsync(invocation, name, parsed.GetValue(Follow), cancellationToken);
        else if (parsed.GetValue(Follow))
            await LogTail.FollowAsync(file, lines, invocation.Console.Output, invocation.Clock, cancellationToken);
        else
            LogTail.Show(file, lines, invocation.Console.Output);
        return ExitCodes.Ok;
    }

    private static int ShowAll(Invocation invocation, int lines)
    {
        var folder = invocation.Paths.Logs;
        var files = Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.log").Order().ToArray() : [];
        if (files.Length == 0)
            throw new FleetFailure($"No fleet has run on {invocation.Data}.", "Start one with ./fleet up.");
        foreach (var file in files)
        {
            invocation.Console.Line($"==> {file}");
            LogTail.Show(file, lines, invocation.Console.Output);
        }
        return ExitCodes.Ok;
    }

    private static async Task ShowJobAsync(
        Invocation invocation,
        string id,
        bool isFollowed,
        CancellationToken cancellationToken
    )
    {
        if (!isFollowed)
        {
            await foreach (var line in JobLog.ReadAsync(invocation.Client, id, cancellationToken))
                JobLog.Print(invocation.Console, line);
            return;
        }
        var follower = new JobFollower(invocation.Client, invocation.Clock);
        await foreach (var update in follower.FollowAsync(id, cancellationToken))
        {
            if (update.Event is { } line)
                JobLog.Print(invocation.Console, line);
        }
    }
}
