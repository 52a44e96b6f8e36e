using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Models;
using TrainingFile = EgpuFleet.Grains.Interfaces.Training.TrainingFile;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>All that a session needs, and the data.</summary>
internal sealed record PreparedTraining(
    TrainParameters Parameters,
    TrainSpec Spec,
    TrainingPlan Plan,
    TrainingData Data,
    TrainingText Text
);

/// <summary>Brings model and data to this machine and makes rows of them.</summary>
internal sealed class TrainingInputs(ModelCache cache, GatewayDownloads downloads, BringUp bringUp, int threads)
{
    /// <exception cref="GenerationException">Model or data cannot be had, or the data is not fit for the model.</exception>
    public async Task<PreparedTraining> PrepareAsync(
        TrainParameters parameters,
        ModelRef model,
        TrainingFolder folder,
        NoteOutbox notes,
        CancellationToken cancellationToken
    )
    {
        CachedModel cached;
        using (bringUp.Begin($"fetching {model.Name}", model.SizeBytes))
            cached = await cache.GetAsync(model, cancellationToken);
        foreach (var file in new[] { parameters.Training, parameters.Validation }.OfType<TrainingFile>())
        {
            using var phase = bringUp.Begin($"fetching {file.Id}", file.SizeBytes);
            await downloads.FetchAsync(
                new ModelRef(file.Id, file.Sha256, file.SizeBytes),
                $"{InternalRoutes.Files}/{file.Id}/content",
                folder.Data(file.Sha256),
                cancellationToken
            );
        }
        using (bringUp.Begin("reading the training data"))
            return await Task.Run(
                () => PrepareAsync(parameters, model, cached, folder, notes, cancellationToken),
                cancellationToken
            );
    }

    private async Task<PreparedTraining> PrepareAsync(
        TrainParameters parameters,
        ModelRef model,
        CachedModel cached,
        TrainingFolder folder,
        NoteOutbox notes,
        CancellationToken cancellationToken
    )
    {
        var samples = SampleSource.Of(cached.Path, parameters.RowTokens);
        var training = await ReadAsync(parameters.Training);
        var validation = parameters.Validation is { } file ? await ReadAsync(file) : null;
        var data = TrainingData.Of(training, validation, parameters);
        var steps =
            data.Shared?.CountSteps() ?? TrainingPlan.StepsOf(data.Rows, parameters.BatchRows, parameters.MaxSteps);
        notes.Say(
            0,
            $"{training.Count} samples of {training.Sum(sample => (long)sample.Tokens.Length)} tokens make {data.Rows} rows "
                + $"in {parameters.Epochs} epochs: {steps} steps."
        );
        return new PreparedTraining(
            parameters,
            SpecOf(parameters, model, cached.Path),
            new TrainingPlan(parameters.Optimizer, steps, parameters.EvaluateEverySteps),
            data,
            new TrainingText(samples.Tokenizer, data.Shown)
        );

        Task<IReadOnlyList<TokenSample>> ReadAsync(TrainingFile one) =>
            samples.ReadAsync(folder.Data(one.Sha256), one.Id, cancellationToken);
    }

    private TrainSpec SpecOf(TrainParameters parameters, ModelRef model, string path) =>
        new(
            path,
            model.Sha256,
            threads,
            parameters.Method == TrainingMethod.Full ? TrainMethod.Full : TrainMethod.Lora,
            parameters.Adapter is { } adapter
                ? new AdapterShape(adapter.Rank, adapter.Alpha, adapter.Targets, adapter.FrozenA)
                : null,
            parameters.RowTokens,
            // By the job alone, never by what memory is free: how a batch is cut changes its last bits.
            Math.Clamp(Limits.PassTokens / parameters.RowTokens, 1, parameters.BatchRows),
            new AdamSettings(WeightDecay: parameters.Optimizer.WeightDecay, ClipNorm: parameters.Optimizer.ClipNorm),
            parameters.Seed
        );
}
