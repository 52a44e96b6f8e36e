using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Jobs;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet submit</c>: a batch from a file, the standard input or the command line.</summary>
internal static class SubmitVerb
{
    private static readonly Argument<string?> Input = new("INPUT")
    {
        Description = "JSONL file, one {\"prompt\": …} or {\"messages\": …} a line; - reads the standard input",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string> Model = new("--model")
    {
        Description = "Name of a registered model",
        Required = true,
        HelpName = "NAME",
    };

    private static readonly Option<string[]> Prompts = new("--prompt")
    {
        Description = "A prompt; may be given several times instead of INPUT",
        HelpName = "TEXT",
    };

    private static readonly Option<int?> MaxTokens = new Option<int?>("--max-tokens")
    {
        Description = "Most tokens of an answer (default: up to the end of the context)",
        HelpName = "N",
    }.Within(1, int.MaxValue);

    private static readonly Option<double?> Temperature = new Option<double?>("--temperature")
    {
        Description = "0 (greedy, the default) to 2",
        HelpName = "T",
    }.Within(0, 2);

    private static readonly Option<long?> Seed = new("--seed") { Description = "Seed of sampling", HelpName = "N" };

    private static readonly Option<int?> Priority = new Option<int?>("--priority")
    {
        Description = "-100 to 100, higher first",
        HelpName = "N",
    }.Within(-100, 100);

    private static readonly Option<bool> Wait = new("--wait") { Description = "Show progress until the job has ended" };

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Wait, then write the results as JSONL into this file (- for the standard output)",
        HelpName = "FILE",
    };

    public static Command Create()
    {
        var command = new Command("submit", "Submit a batch of prompts")
        {
            Input,
            Model,
            Prompts,
            MaxTokens,
            Temperature,
            Seed,
            Priority,
            Wait,
            Output,
        };
        command.Validators.Add(result =>
        {
            var isInput = result.GetValue(Input) is not null;
            if (isInput == result.GetValue(Prompts) is { Length: > 0 })
                result.AddError("Give either INPUT or --prompt.");
        });
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet submit --model tiny-fleet samples/prompts/demo-200.jsonl --max-tokens 48 --wait",
            "./fleet submit --model tiny-fleet --prompt 'Once upon a time' --output -",
            "cat prompts.jsonl | ./fleet submit --model tiny-fleet - --priority 10"
        );
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var console = invocation.Console;
        using var prompts = await PromptInput.OpenAsync(parsed.GetValue(Input), cancellationToken);
        var job = await JobSubmission.SendAsync(
            invocation.Client,
            Request(parsed),
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

    private static JobRequest Request(ParseResult parsed)
    {
        var generation = new GenerationOptions(
            MaxTokens: parsed.GetValue(MaxTokens),
            Temperature: parsed.GetValue(Temperature),
            Seed: parsed.GetValue(Seed)
        );
        var items = parsed.GetValue(Prompts) is { Length: > 0 } prompts
            ? prompts.Select(prompt => new BatchLine(Prompt: prompt)).ToArray()
            : null;
        return new JobRequest("batch", parsed.GetValue(Model), generation, parsed.GetValue(Priority), items);
    }
}
