using EgpuFleet.Api;
using EgpuFleet.Grains.Training;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning.Estimate;

/// <summary>
/// <c>POST /v1/fine_tuning/estimate</c>: the request of a fine-tuning job, all that is checked of one, and what it would do
/// and need. Nothing is made. A few at once, each for a bounded time.
/// </summary>
internal sealed class EstimateFineTuning(
    FleetPicture picture,
    FineTuningAdmission admission,
    ModelStore modelFiles,
    TokenCount count,
    MeasuredPaces paces,
    TimeProvider time
) : IDisposable
{
    /// <summary>As agents cut a batch.</summary>
    private const int PassTokens = 2_048;

    private readonly SemaphoreSlim places = new(Limits.ConcurrentEstimates);

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var body = await RequestFields.ReadAsync(context.Request);
        if (!places.Wait(0, CancellationToken.None))
            throw new GatewayException(
                System.Net.HttpStatusCode.TooManyRequests,
                "too_many_estimates",
                "Other estimates are being made; try again shortly."
            )
            {
                RetryAfter = Limits.RetryAfter,
            };
        var cancellationToken = context.RequestAborted;
        // A template in the middle of its work cannot be stopped: the place is free when the work has ended.
        var work = Task.Run(
            async () =>
            {
                try
                {
                    var admitted = await admission.AdmitAsync(body.RootElement, cancellationToken);
                    return (admitted, await CountAsync(admitted, cancellationToken));
                }
                finally
                {
                    places.Release();
                }
            },
            CancellationToken.None
        );
        var (plan, counted) = await work.WaitAsync(Limits.EstimateWait, time, cancellationToken);
        return FineTuningReads.Json(await AnswerAsync(plan, counted, cancellationToken));
    }

    public void Dispose() => places.Dispose();

    private async Task<Counted> CountAsync(AdmittedFineTuning admitted, CancellationToken cancellationToken)
    {
        var path =
            modelFiles.Find(admitted.Model.Ref.Sha256)
            ?? throw GatewayException.Unavailable("model_unavailable", "The file of the model is not here now.");
        var rowTokens = admitted.Choice.RowTokens;
        var encoder = TokenCount.EncoderOf(path, rowTokens);
        await using var file = File.OpenRead(path);
        var facts = GgufModelFacts.From(GgufReader.Open(file));
        var training = await count.CountAsync(
            admitted.Training,
            "training_file",
            encoder,
            rowTokens,
            cancellationToken
        );
        var validation = admitted.Validation is null
            ? null
            : await count.CountAsync(admitted.Validation, "validation_file", encoder, rowTokens, cancellationToken);
        return new Counted(facts, training, validation);
    }

    private async Task<FineTuningEstimateInfo> AnswerAsync(
        AdmittedFineTuning plan,
        Counted counted,
        CancellationToken cancellationToken
    )
    {
        var (fields, choice, training) = (plan.Fields, plan.Choice, counted.Training);
        var all = Math.Max(1, ((training.Rows * choice.Epochs) + choice.BatchRows - 1) / choice.BatchRows);
        var steps = fields.Wish.MaxSteps > 0 ? Math.Min(all, fields.Wish.MaxSteps) : all;
        var tokens = (long)Math.Ceiling((double)training.TrainedTokens * choice.Epochs * steps / all);
        var wish = new RunWish(
            fields.Wish.Method,
            fields.Engine,
            fields.Devices?.Require,
            choice.Adapter?.Rank ?? 0,
            choice.RowTokens,
            Math.Clamp(PassTokens / choice.RowTokens, 1, choice.BatchRows),
            ShapeOf(counted.Facts),
            tokens
        );
        var devices = DeviceEstimates.Of(
            await picture.NodesAsync().WaitAsync(Limits.SubmitWait, time, cancellationToken),
            wish,
            await paces.ReadAsync(plan.Model, fields.Wish.Method, cancellationToken)
        );
        return new FineTuningEstimateInfo(
            "fine_tuning.estimate",
            plan.Model.Ref.Name,
            JobViews.Word(fields.Wish.Method),
            new FineTuningHyperparameters(choice.Epochs, choice.BatchRows, choice.LearningRateMultiplier),
            choice.RowTokens,
            choice.LearningRate,
            choice.Reasons,
            Show(plan.Training, training),
            plan.Validation is { } held ? Show(held, counted.Validation!) : null,
            steps,
            tokens,
            training.IsWhole,
            training.Preview is { } preview ? Show(preview) : null,
            [.. training.Warnings.Select(one => $"{one.Message} {one.Suggestion}")],
            devices.Any(device => device.Fits),
            devices
        );
    }

    private static TrainingShape ShapeOf(GgufModelFacts facts) =>
        new(
            facts.Parameters,
            facts.Parameters > 0 ? 8.0 * facts.WeightBytes / facts.Parameters : TrainableSize.FourBits,
            facts.Layers,
            facts.Embedding,
            facts.FeedForward,
            (int)Math.Min(facts.KvValuesPerToken / (2 * facts.Layers), int.MaxValue)
        );

    private static TrainingDataInfo Show(CheckedData data, CountedData counted) =>
        new(
            data.File.Id,
            data.Facts.Samples,
            counted.Tokens,
            counted.TrainedTokens,
            counted.LongestTokens,
            counted.Rows
        );

    private static TrainingPreviewInfo Show(TrainingPreview preview) =>
        new(
            preview.Line,
            preview.Tokens,
            preview.TrainedTokens,
            [.. preview.Parts.Select(part => new TrainingPreviewPart(part.Text, part.IsTrained))]
        );

    private sealed record Counted(GgufModelFacts Facts, CountedData Training, CountedData? Validation);
}
