using System.CommandLine;
using EgpuFleet.Api;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.FineTuning;

namespace EgpuFleet.Cli.Verbs;

/// <summary><c>fleet finetune create FILE --model BASE</c>, and <c>fleet checkpoints branch CHECKPOINT</c>: the same, from what another run had learnt.</summary>
internal static class FinetuneCreateVerb
{
    private static readonly Argument<string> Training = new("FILE")
    {
        Description = "Training data: a JSONL file, which is uploaded, or the id of an uploaded one",
    };

    private static readonly Option<string> Model = new("--model")
    {
        Description = "Name of the registered model that is trained",
        HelpName = "NAME",
        Required = true,
    };

    private static readonly Option<string?> StartFrom = new("--from-checkpoint")
    {
        Description = "Begin with what another run of the same model had learnt",
        HelpName = "CHECKPOINT",
    };

    private static readonly Option<bool> Wait = new("--wait") { Description = "Show progress until it has ended" };

    private static readonly Option<bool> Estimate = new("--estimate")
    {
        Description = "First show what it would do and need, and where it fits",
    };

    private static readonly Option<bool> EstimateOnly = new("--estimate-only")
    {
        Description = "Show that and make no job; status 1 where it fits nowhere",
    };

    private static readonly Argument<string> Origin = new("CHECKPOINT") { Description = "Id of a checkpoint: ckpt_…" };

    private static readonly Argument<string?> OtherTraining = new("FILE")
    {
        Description = "Training data, a path or an id; left out: that of the run the checkpoint is of",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public static Command Create()
    {
        var command = new Command("create", "Train a model on a file, uploaded from here") { Training, Model };
        FinetuneOptions.AddTo(command);
        command.Add(StartFrom);
        AddCommon(command);
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./fleet finetune create train.jsonl --model tiny-fleet --wait",
            "./fleet finetune create train.jsonl --validation held-out.jsonl --model tiny-fleet --suffix bard --epochs 3",
            "./fleet finetune create train.jsonl --model tiny-fleet --estimate-only",
            "./fleet finetune create file-… --model tiny-fleet --lora-rank 8 --learning-rate 0.001 --max-steps 200"
        );
    }

    public static Command CreateBranch()
    {
        var command = new Command("branch", "Begin a new fine-tuning with what another had learnt at a checkpoint")
        {
            Origin,
            OtherTraining,
        };
        FinetuneOptions.AddTo(command);
        AddCommon(command);
        command.SetAction(BranchAsync);
        return command.WithExamples(
            "./fleet checkpoints branch CHECKPOINT --learning-rate 0.0001 --wait",
            "./fleet checkpoints branch CHECKPOINT more.jsonl --epochs 1 --suffix second"
        );
    }

    private static void AddCommon(Command command)
    {
        command.Add(Estimate);
        command.Add(EstimateOnly);
        command.Add(Wait);
        command.Validators.Add(result =>
        {
            if (result.GetValue(EstimateOnly) && result.GetValue(Wait))
                result.AddError("--wait has nothing to wait for with --estimate-only.");
        });
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        return await SendAsync(
            invocation,
            parsed.GetRequiredValue(Training),
            parsed.GetValue(FinetuneOptions.Validation),
            (training, validation) =>
                FinetuneOptions.Request(
                    parsed,
                    parsed.GetRequiredValue(Model),
                    training,
                    validation,
                    parsed.GetValue(StartFrom)
                ),
            cancellationToken
        );
    }

    private static async Task<int> BranchAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        using var invocation = new Invocation(parsed, TimeProvider.System);
        var id = parsed.GetRequiredValue(Origin);
        var client = invocation.Client;
        var checkpoint = await client.GetCheckpointAsync(id, cancellationToken);
        var job = await client.GetJobAsync(checkpoint.Job, cancellationToken);
        if (job.Train is not { } train)
            throw new FleetFailure(
                $"{id} is no checkpoint of a fine-tuning.",
                "See ./fleet checkpoints ls for others."
            );
        var origin = await client.GetFineTuningAsync(train.FineTuningJob, cancellationToken);
        return await SendAsync(
            invocation,
            parsed.GetValue(OtherTraining) ?? origin.TrainingFile,
            parsed.GetValue(FinetuneOptions.Validation) ?? origin.ValidationFile,
            (training, validation) =>
                FinetuneOptions.Request(parsed, origin.Model, training, validation, id, origin.Egpufleet.Method),
            cancellationToken
        );
    }

    private static async Task<int> SendAsync(
        Invocation invocation,
        string training,
        string? validation,
        Func<string, string?, FineTuningRequest> request,
        CancellationToken cancellationToken
    )
    {
        var console = invocation.Console;
        var submission = new FineTuningSubmission(invocation.Client);
        var isOnly = invocation.Parsed.GetValue(EstimateOnly);
        var canRun = true;
        var job = await submission.SendAsync(
            training,
            validation,
            request,
            isOnly || invocation.Parsed.GetValue(Estimate) ? Show : null,
            cancellationToken
        );
        if (job is null)
            return canRun ? ExitCodes.Ok : ExitCodes.Failed;
        if (!invocation.Parsed.GetValue(Wait))
        {
            console.Show(
                job,
                _ => console.Line($"{job.Id} is {job.Egpufleet.Phase}. Follow it: ./fleet finetune follow {job.Id}")
            );
            return ExitCodes.Ok;
        }
        console.Line(job.Id);
        return await FinetuneVerb.FollowAsync(invocation, job.Id, cancellationToken);

        bool Show(FineTuningEstimateInfo estimate)
        {
            console.Show(estimate, one => FineTuningEstimateText.Print(console, one));
            canRun = estimate.CanRun;
            return !isOnly;
        }
    }
}
