using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.FineTuning;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet finetune create|ls|show|follow|cancel|pause|resume</c>.</summary>
internal static class FinetuneVerb
{
    private static readonly Argument<string> Id = new("ID") { Description = "Fine-tuning job: ftjob-…" };

    private static readonly Option<int> Limit = new Option<int>("--limit")
    {
        Description = "At most so many",
        DefaultValueFactory = _ => 20,
        HelpName = "N",
    }.Within(1, Limits.JobsListed);

    private static readonly Option<string?> After = new("--after")
    {
        Description = "Only those after this one in the list",
        HelpName = "ID",
    };

    public static Command Create()
    {
        var list = new Command("ls", "List fine-tuning jobs, newest first") { Limit, After };
        list.SetAction(ListAsync);
        var show = new Command("show", "Show one: state, figures, what was chosen and why, checkpoints") { Id };
        show.SetAction(ShowAsync);
        var follow = new Command("follow", "Show what happens to one until it has ended; Ctrl-C leaves it running")
        {
            Id,
        };
        follow.SetAction(FollowAsync);
        return new Command("finetune", "Train a model on your own data")
        {
            FinetuneCreateVerb.Create(),
            list.WithExamples("./fleet finetune ls", "./fleet finetune ls --limit 5 --json"),
            show.WithExamples("./fleet finetune show ID", "./fleet finetune show ID --json"),
            follow.WithExamples("./fleet finetune follow ID", "./fleet finetune follow ID --json"),
            Steer("cancel", "Cancel one; its checkpoints stay"),
            Steer("pause", "Stop one; it goes on from where it was"),
            Steer("resume", "Let a paused one go on from its newest checkpoint"),
        }.WithExamples(
            "./fleet finetune create train.jsonl --model tiny-fleet --wait",
            "./fleet finetune ls",
            "./fleet finetune follow ID",
            "./fleet finetune pause ID"
        );
    }

    /// <summary>Follows one to its end and says how that was; succeeded alone is a success.</summary>
    public static async Task<int> FollowAsync(Invocation invocation, string id, CancellationToken cancellationToken)
    {
        var console = invocation.Console;
        var follower = new FineTuningFollower(invocation.Client, invocation.Clock);
        var job = await new FineTuningView(console, invocation.Clock).FollowAsync(follower, id, cancellationToken);
        if (!console.IsJson)
            FineTuningReport.PrintEnd(console, job);
        return job.Status == "succeeded" ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static Command Steer(string verb, string description)
    {
        var command = new Command(verb, description) { Id };
        command.SetAction((parsed, token) => SteerAsync(verb, parsed, token));
        return command.WithExamples($"./fleet finetune {verb} ID");
    }

    private static async Task<int> SteerAsync(string verb, ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var id = parsed.GetRequiredValue(Id);
        var job = await invocation.Client.SteerFineTuningAsync(id, verb, cancellationToken);
        invocation.Console.Show(job, _ => invocation.Console.Line($"{job.Id} is {job.Egpufleet.Phase}."));
        return ExitCodes.Ok;
    }

    private static async Task<int> FollowAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        return await FollowAsync(invocation, parsed.GetRequiredValue(Id), cancellationToken);
    }

    private static async Task<int> ShowAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var report = await FineTuningReport.ReadAsync(
            invocation.Client,
            parsed.GetRequiredValue(Id),
            cancellationToken
        );
        invocation.Console.Show(report, _ => report.Print(invocation.Console, invocation.Clock.GetUtcNow()));
        return ExitCodes.Ok;
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var page = await invocation.Client.ListFineTuningsAsync(
            parsed.GetValue(After),
            parsed.GetValue(Limit),
            cancellationToken
        );
        invocation.Console.Show(page, _ => Print(invocation.Console, page));
        return ExitCodes.Ok;
    }

    private static void Print(FleetConsole console, Page<FineTuningJobInfo> page)
    {
        console.Table(
            ["FINE-TUNING", "STATE", "BASE", "METHOD", "STEP", "LOSS", "VALIDATION", "CREATED", "MODEL OR REASON"],
            page.Data.Select(job =>
                (IReadOnlyList<string>)
                    [
                        job.Id,
                        job.Egpufleet.Phase,
                        job.Model,
                        job.Egpufleet.Method,
                        job.Egpufleet.TotalSteps is { } total
                            ? $"{job.Egpufleet.Step}/{total}"
                            : job.Egpufleet.Step.ToString(),
                        FineTuningReport.Metric(job, "train_loss"),
                        FineTuningReport.Metric(job, "valid_loss"),
                        Format.Time(DateTimeOffset.FromUnixTimeSeconds(job.CreatedAt)),
                        job.FineTunedModel ?? job.Error?.Code ?? job.Egpufleet.Reason?.Code ?? "",
                    ]
            )
        );
        if (page.HasMore)
            console.Line($"More: ./fleet finetune ls --after {page.LastId}");
    }
}
