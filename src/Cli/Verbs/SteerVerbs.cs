using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet jobs why|hold|release|pause|resume|cancel ID</c>.</summary>
internal static class SteerVerbs
{
    private static readonly Argument<string> Id = new("ID") { Description = "Job, as submit and jobs print it" };

    public static IEnumerable<Command> Create()
    {
        var why = new Command("why", "Say what keeps a job from running, and what would change it") { Id };
        why.SetAction(WhyAsync);
        yield return why.WithExamples("./fleet jobs why JOB", "./fleet jobs why JOB --json");
        yield return Steer("hold", "Keep a job that has not started from starting");
        yield return Steer("release", "Let a held job go on");
        yield return Steer("pause", "Stop a running job; what it has answered stays");
        yield return Steer("resume", "Let a paused job go on");
        yield return Steer("cancel", "Cancel a job; what it has answered stays");
    }

    private static Command Steer(string verb, string description)
    {
        var command = new Command(verb, description) { Id };
        command.SetAction((parsed, token) => SteerAsync(verb, parsed, token));
        return command.WithExamples($"./fleet jobs {verb} JOB");
    }

    private static async Task<int> SteerAsync(string verb, ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var job = await invocation.Client.SteerJobAsync(parsed.GetRequiredValue(Id), verb, cancellationToken);
        invocation.Console.Show(job, _ => invocation.Console.Line($"Job {job.Id} is {job.State}."));
        return ExitCodes.Ok;
    }

    private static async Task<int> WhyAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var why = await invocation.Client.WhyAsync(parsed.GetRequiredValue(Id), cancellationToken);
        invocation.Console.Show(why, _ => Print(invocation.Console, why));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, WhyInfo why)
    {
        console.Line($"Job {why.Id} is {why.State}.");
        if (why.End is { } end)
            console.Line($"{end.Message} ({end.Code})");
        foreach (var reason in why.Reasons)
        {
            console.Line($"{reason.Message} ({reason.Code})");
            if (reason.Action is not null)
                console.Line($"  To do: {reason.Action}");
            if (reason.BlockingJobId is not null)
                console.Line($"  See: ./fleet jobs why {reason.BlockingJobId}");
        }
        if (why.Reasons.Count == 0 && why.End is null)
            console.Line("Nothing keeps it.");
    }
}
