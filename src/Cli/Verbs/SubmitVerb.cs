using System.CommandLine;
using System.CommandLine.Parsing;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet submit</c>: a job from a file, the standard input or the command line; or many, one a line.</summary>
internal static class SubmitVerb
{
    private static readonly Argument<string?> Input = new("INPUT")
    {
        Description = "JSONL file, one {\"prompt\": …} or {\"messages\": …} a line; - reads the standard input",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Bulk = new("--bulk")
    {
        Description = "Submit many jobs: a JSONL file with one job a line (- for the standard input)",
        HelpName = "FILE",
    };

    private static readonly Option<string?> Key = new("--key")
    {
        Description = "Idempotency key of --bulk: the same lines under the same key are submitted once",
        HelpName = "KEY",
    };

    private static readonly Option<bool> Wait = new("--wait") { Description = "Show progress until the job has ended" };

    private static readonly Option<string?> Output = new("--output")
    {
        Description =
            "Wait, then write the results as JSONL into this file; with --bulk the outcome of each line (- for the standard output)",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("submit", "Submit a batch of prompts, a no-op, or many jobs at once") { Input };
        SubmitOptions.AddTo(command);
        command.Add(Bulk);
        command.Add(Key);
        command.Add(Wait);
        command.Add(Output);
        command.Validators.Add(Validate);
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet submit --model tiny-fleet samples/prompts/demo-200.jsonl --max-tokens 48 --wait",
            "./fleet submit --model tiny-fleet --prompt 'Once upon a time' --output -",
            "cat prompts.jsonl | ./fleet submit --model tiny-fleet - --priority 10",
            "./fleet submit --kind noop --payload hello --array 100 --duration-ms 50 --max-parallel 4",
            "./fleet submit --kind noop --payload last --after-ok JOB --deadline 2027-01-01T00:00:00Z --hold",
            "./fleet submit --bulk jobs.jsonl --key nightly-2026-11-23 --output outcomes.jsonl"
        );
    }

    private static void Validate(CommandResult result)
    {
        var hasInput = result.GetValue(Input) is not null;
        if (result.GetValue(Bulk) is null)
        {
            if (SubmitOptions.Missing(result, hasInput) is { } missing)
                result.AddError(missing);
            if (result.GetValue(Key) is not null)
                result.AddError("--key is for --bulk; other submits make their own.");
            return;
        }
        if (hasInput)
            result.AddError("Give either INPUT or --bulk.");
        else if (SubmitOptions.Given(result).FirstOrDefault() is { } given)
            result.AddError($"{given} describes one job; with --bulk each line says it for itself.");
        else if (result.GetValue(Wait))
            result.AddError("--wait is for one job.");
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken) =>
        parsed.GetValue(Bulk) is { } file
            ? BulkAsync(parsed, file, cancellationToken)
            : OneAsync(parsed, cancellationToken);

    private static async Task<int> BulkAsync(ParseResult parsed, string file, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var console = invocation.Console;
        using var lines = (await PromptInput.OpenAsync(file, cancellationToken))!;
        var output = parsed.GetValue(Output);
        var submission = new BulkSubmission(
            invocation.Client,
            parsed.GetValue(Key) ?? Guid.NewGuid().ToString("N"),
            console,
            invocation.Clock
        );
        var summary = await submission.SendAsync(lines.OpenRead, output, cancellationToken);
        if (output != "-")
            console.Show(summary, _ => summary.Print(console));
        return summary.IsComplete ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static async Task<int> OneAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var console = invocation.Console;
        using var prompts = await PromptInput.OpenAsync(parsed.GetValue(Input), cancellationToken);
        var job = await JobSubmission.SendAsync(
            invocation.Client,
            SubmitOptions.Request(parsed),
            prompts is null ? null : prompts.OpenRead,
            cancellationToken
        );
        var output = parsed.GetValue(Output);
        if (output is null && !parsed.GetValue(Wait))
        {
            console.Show(job, _ => console.Line($"Job {job.Id} is {job.State}. Follow it: ./fleet logs {job.Id} -f"));
            return ExitCodes.Ok;
        }
        var quiet = console with { IsJson = console.IsJson || output == "-" };
        quiet.Line($"Job {job.Id}");
        var watched = quiet with { IsInteractive = console.IsInteractive && output != "-" };
        var view = new JobProgressView(watched, new Steps(watched, invocation.Clock));
        var follower = new JobFollower(invocation.Client, invocation.Clock);
        var devices = await view.FollowAsync(follower, job.Id, cancellationToken);
        job = await invocation.Client.GetJobAsync(job.Id, cancellationToken);
        if (output is not null)
            await ResultsFile.WriteAsync(invocation.Client, job.Id, output, cancellationToken);
        if (output != "-")
            console.Show(new JobReport(job, devices), report => report.Print(console));
        return job.State == "succeeded" ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
