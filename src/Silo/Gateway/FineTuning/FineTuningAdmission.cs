using System.Net;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>A request for a fine-tuning job that can be done, all choices made.</summary>
/// <param name="Seed">Null: one is drawn.</param>
internal sealed record AdmittedFineTuning(
    FineTuningFields Fields,
    ModelRecord Model,
    CheckedData Training,
    CheckedData? Validation,
    FineTuningChoice Choice,
    long? Seed
);

/// <summary>Looks at every field of a request and every line of its data, and chooses what was left open.</summary>
internal sealed class FineTuningAdmission(
    ModelLookup models,
    TrainingDataCheck data,
    ICheckpointStore checkpoints,
    ILedger ledger
)
{
    /// <summary>Engines train these; others have other blocks.</summary>
    private static readonly string[] Trainable = ["llama", "qwen2", "qwen3"];

    /// <exception cref="GatewayException">400 or 404: it cannot be done.</exception>
    public async Task<AdmittedFineTuning> AdmitAsync(JsonElement body, CancellationToken cancellationToken)
    {
        var fields = FineTuningFields.Read(body);
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
        var seed = origin is null ? fields.Seed : StartingPoint.SeedOf(fields.Seed, origin);
        return new AdmittedFineTuning(fields, model, training, validation, choice, seed);
    }

    private static void RequireTrainable(ModelRecord model)
    {
        if (model.Ref.Base is { } own)
            throw new GatewayException(
                HttpStatusCode.BadRequest,
                "model_is_adapter",
                $"{model.Ref.Name} is an adapter; train {own.Name}, and begin with what it had learnt by start_from."
            )
            {
                Param = "model",
            };
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
}
