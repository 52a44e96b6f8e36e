using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet jobs</c>: the newest jobs, by state; and what can be done to one.</summary>
internal static class JobsVerb
{
    private static readonly Option<string?> State = new Option<string?>("--state")
    {
        Description = "Only jobs in this state",
    }.AcceptOnlyFromAmong("queued", "blocked", "held", "running", "paused", "succeeded", "failed", "cancelled");

    private static readonly Option<int> Limit = new Option<int>("--limit")
    {
        Description = "At most so many",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    }.Within(1, Limits.JobsListed);

    private static readonly Option<string?> After = new("--after")
    {
        Description = "Only jobs after this one in the list",
        HelpName = "ID",
    };

    public static Command Create()
    {
        var command = new Command(
            "jobs",
            "List jobs, newest first; or explain, hold, release, pause, resume, cancel one"
        )
        {
            State,
            Limit,
            After,
        };
        foreach (var verb in SteerVerbs.Create())
            command.Add(verb);
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet jobs",
            "./fleet jobs --state running",
            "./fleet jobs --limit 5 --json",
            "./fleet jobs why JOB",
            "./fleet jobs hold JOB"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var page = await invocation.Client.ListJobsAsync(
            parsed.GetValue(State),
            parsed.GetValue(After),
            parsed.GetValue(Limit),
            cancellationToken
        );
        invocation.Console.Show(page, _ => Print(invocation.Console, page));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, Page<JobInfo> page)
    {
        console.Table(
            ["JOB", "STATE", "MODEL", "ITEMS", "FAILED", "PRIORITY", "CREATED", "REASON"],
            page.Data.Select(job =>
                (IReadOnlyList<string>)
                    [
                        job.Id,
                        job.State,
                        job.Model ?? job.Kind,
                        $"{job.Items.Completed}/{job.Items.Total}",
                        job.Items.Failed.ToString(),
                        job.Priority.ToString(),
                        Format.Time(job.CreatedAt),
                        job.Reason?.Code ?? job.End?.Code ?? "",
                    ]
            )
        );
        if (page.HasMore)
            console.Line($"More: ./fleet jobs --after {page.LastId}");
    }
}
