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
    FineTuningAdmission admission,
    SampleLengths lengths,
    IFineTuningStore store,
    FineTuningReads reads,
    TimeProvider time
)
{
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
        var admitted = await admission.AdmitAsync(body.RootElement, cancellationToken);
        await lengths.RequireFitAsync(admitted, cancellationToken);
        var (fields, choice) = (admitted.Fields, admitted.Choice);

        var id = JobId.New(time.GetUtcNow());
        var spec = Spec(id, admitted);
        var ask = new FineTuningAsk(fields.Suffix, choice.LearningRateMultiplier, choice.Reasons);
        await store.AddAsync(new FineTuningRun(id, spec.Tenant, fields.Metadata, ask), cancellationToken);
        var hash = key is null
            ? null
            : new IdempotencyKey(
                key,
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body.RootElement.GetRawText())))
            );
        BatchItem[] items =
        [
            .. Enumerable
                .Range(0, spec.ItemCount)
                .Select(i => new BatchItem(i, TrainParameters.MemberName(i), string.Empty, Messages: null)),
        ];
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

    private static JobSpec Spec(JobId id, AdmittedFineTuning admitted)
    {
        var (fields, model, choice) = (admitted.Fields, admitted.Model, admitted.Choice);
        var start = fields.StartFrom is { } text ? FineTuningIds.Checkpoint(text)?.ToString() : null;
        var train = new TrainParameters(
            fields.Wish.Method,
            choice.Adapter,
            admitted.Training.File,
            admitted.Validation?.File,
            choice.Epochs,
            fields.Wish.MaxSteps,
            choice.BatchRows,
            choice.RowTokens,
            new OptimizerParameters(choice.LearningRate, WarmUpShare, RateSchedule.Cosine, WeightDecay, ClipNorm),
            admitted.Seed ?? Seeds.Next(),
            ResultName(id, fields, model),
            fields.Engine,
            start,
            fields.EvaluateEverySteps,
            fields.CheckpointSeconds,
            fields.DataParallel
        );
        return new JobSpec(
            id,
            TenantId.Default,
            JobKind.Train,
            model.Ref,
            Generation: null,
            fields.Priority,
            // Each member of a shared run is a shard of its own.
            ItemCount: fields.DataParallel?.Devices ?? 1,
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
