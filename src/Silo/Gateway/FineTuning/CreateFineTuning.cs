using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>
/// <c>POST /v1/fine_tuning/jobs</c>: every field and every line of the data is looked at, what was left open is chosen, and
/// the job goes to the ledger like any other. What was asked for is written first, so that no run is without; it is taken
/// back where the job is refused, and swept where this process ends in between.
/// </summary>
internal sealed class CreateFineTuning(
    Fleet fleet,
    ModelLookup models,
    TrainingDataCheck data,
    IFineTuningStore store,
    ICheckpointStore checkpoints,
    ILedger ledger,
    FineTuningReads reads,
    TimeProvider time
)
{
    /// <summary>Engines train these; others have other blocks.</summary>
    private static readonly string[] Trainable = ["llama", "qwen2", "qwen3"];

    /// <summary>Leaves room for <c>:ckpt-step-N</c> in a model's name.</summary>
    private const int ResultCharacters = Limits.ModelNameLength - 24;

    private const int IdCharacters = 12;
    private const double WarmUpShare = 0.05;
    private const double WeightDecay = 0.01;
    private const double ClipNorm = 1;

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var cancellationToken = context.RequestAborted;
        var key = IdempotencyHeader.Read(context.Request);
        using var body = await RequestFields.ReadAsync(context.Request);
        var fields = FineTuningFields.Read(body.RootElement);
        var model = await models.RequireAsync(fields.Model, HttpStatusCode.NotFound);
        RequireTrainable(model);
        var training = await data.RequireAsync(fields.TrainingFile, "training_file", cancellationToken);
        var validation = fields.ValidationFile is null
            ? null
            : await data.RequireAsync(fields.ValidationFile, "validation_file", cancellationToken);
        var origin = await FindStartAsync(fields, model, cancellationToken);
        var wish = origin is null ? fields.Wish : StartingPoint.Continue(fields.Wish, origin);
        var choice = FineTuningChoice.Of(wish, training.Facts, model);
        RequireRoom(choice, model);

        var id = JobId.New(time.GetUtcNow());
        var spec = Spec(id, fields, model, choice, training.File, validation?.File);
        var ask = new FineTuningAsk(fields.Suffix, choice.LearningRateMultiplier, choice.Reasons);
        await store.AddAsync(new FineTuningRun(id, spec.Tenant, fields.Metadata, ask), cancellationToken);
        var hash = key is null
            ? null
            : new IdempotencyKey(
                key,
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body.RootElement.GetRawText())))
            );
        var items = new[] { new BatchItem(0, "run", string.Empty, Messages: null) };
        var reply = await fleet
            .SubmitAsync(new SubmitRequest(spec, hash, items), cancellationToken)
            .WaitAsync(Limits.SubmitWait, time, cancellationToken);
        if (reply.Outcome != SubmitOutcome.Accepted)
            await store.RemoveAsync(id, cancellationToken);
        if (reply.Outcome is not (SubmitOutcome.Accepted or SubmitOutcome.Replayed))
            throw SubmitJob.Refused(reply);
        if (reply.Outcome == SubmitOutcome.Replayed)
            context.Response.Headers[IdempotencyHeader.Replayed] = "true";
        return FineTuningReads.Json(await reads.RequireAsync(reply.Job, cancellationToken));
    }

    private static void RequireTrainable(ModelRecord model)
    {
        if (!Trainable.Contains(model.Architecture, StringComparer.Ordinal))
            throw new GatewayException(
                HttpStatusCode.BadRequest,
                "model_not_trainable",
                $"{model.Ref.Name} is of the architecture {model.Architecture}; {string.Join(", ", Trainable)} are trained here."
            )
            {
                Param = "model",
            };
    }

    private static void RequireRoom(FineTuningChoice choice, ModelRecord model)
    {
        if (choice.RowTokens > model.ContextLength)
            throw RequestFields.Wrong("row_tokens", $"must be at most {model.ContextLength}, the model's context");
    }

    /// <summary>The run, of the same base, whose complete checkpoint it is to begin with; null where it is to begin anew.</summary>
    private async Task<TrainParameters?> FindStartAsync(
        FineTuningFields fields,
        ModelRecord model,
        CancellationToken cancellationToken
    )
    {
        if (fields.StartFrom is not { } text)
            return null;
        var found = FineTuningIds.Checkpoint(text) is { } id
            ? await checkpoints.FindAsync(id, cancellationToken)
            : null;
        var job = found is null ? null : await ledger.FindJobAsync(found.Shard.Job, cancellationToken);
        if (found is not { State: CheckpointState.Complete } || job?.Spec.Tenant != TenantId.Default)
            throw RequestFields.Wrong("start_from", "names no checkpoint that is complete");
        if (job.Spec.Model?.Sha256 != model.Ref.Sha256)
            throw RequestFields.Wrong("start_from", "names a checkpoint of another base model");
        return job.Spec.Train is { } train && train.Method == fields.Wish.Method
            ? train
            : throw RequestFields.Wrong("start_from", "names a checkpoint of another method");
    }

    private static JobSpec Spec(
        JobId id,
        FineTuningFields fields,
        ModelRecord model,
        FineTuningChoice choice,
        TrainingFile training,
        TrainingFile? validation
    )
    {
        var start = fields.StartFrom is { } text ? FineTuningIds.Checkpoint(text)?.ToString() : null;
        var train = new TrainParameters(
            fields.Wish.Method,
            choice.Adapter,
            training,
            validation,
            choice.Epochs,
            fields.Wish.MaxSteps,
            choice.BatchRows,
            choice.RowTokens,
            new OptimizerParameters(choice.LearningRate, WarmUpShare, RateSchedule.Cosine, WeightDecay, ClipNorm),
            fields.Seed ?? Seeds.Next(),
            ResultName(id, fields, model),
            fields.Engine,
            start,
            fields.EvaluateEverySteps,
            fields.CheckpointSeconds
        );
        return new JobSpec(
            id,
            TenantId.Default,
            JobKind.Train,
            model.Ref,
            Generation: null,
            fields.Priority,
            ItemCount: 1,
            Activity.Current?.Id,
            JobRules.Default with
            {
                Devices = fields.Devices,
            },
            Train: train
        );
    }

    private static string ResultName(JobId id, FineTuningFields fields, ModelRecord model)
    {
        var end = id.Value.ToString("N", CultureInfo.InvariantCulture)[^IdCharacters..];
        var name = $"ft:{model.Ref.Name}:{TenantId.Default.Value}:{fields.Suffix}:{end}";
        return name.Length <= ResultCharacters
            ? name
            : throw RequestFields.Wrong("suffix", $"makes a name of more than {ResultCharacters} characters: {name}");
    }
}
