using System.CommandLine;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet job ID</c> and <c>fleet cancel ID</c>.</summary>
internal static class JobVerb
{
    private static readonly Argument<string> Id = new("ID") { Description = "Job, as submit and jobs print it" };

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Also write the results so far as JSONL into this file (- for the standard output)",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("job", "Show a job: state, reason, counts, shards per device") { Id, Output };
        command.SetAction(ShowAsync);
        return command.WithExamples(
            "./fleet job JOB",
            "./fleet job JOB --output results.jsonl",
            "./fleet job JOB --json"
        );
    }

    public static Command CreateCancel()
    {
        var command = new Command("cancel", "Cancel a job; what it has answered stays") { Id };
        command.SetAction(CancelAsync);
        return command.WithExamples("./fleet cancel JOB");
    }

    private static async Task<int> ShowAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var id = parsed.GetRequiredValue(Id);
        var report = await JobReport.ReadAsync(invocation.Client, id, cancellationToken);
        if (parsed.GetValue(Output) is not { } path)
        {
            invocation.Console.Show(report, _ => report.Print(invocation.Console));
            return ExitCodes.Ok;
        }
        var count = await ResultsFile.WriteAsync(invocation.Client, id, path, cancellationToken);
        if (path != "-")
            invocation.Console.Show(report, _ => invocation.Console.Line($"Wrote {count} results to {path}."));
        return ExitCodes.Ok;
    }

    private static async Task<int> CancelAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var job = await invocation.Client.CancelJobAsync(parsed.GetRequiredValue(Id), cancellationToken);
        invocation.Console.Show(job, _ => invocation.Console.Line($"Job {job.Id} is {job.State}."));
        return ExitCodes.Ok;
    }
}
