using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;
using EgpuFleet.Kernels.Torch.Weights;
using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Worker;

/// <summary>A model in training on the processor.</summary>
internal sealed class TorchSession : ITrainingSession
{
    private readonly TorchThread thread;
    private readonly TrainSpec spec;
    private readonly LlamaModel model;
    private readonly AdamW optimizer;
    private readonly Passes passes;

    private TorchSession(TorchThread thread, TrainSpec spec, LlamaModel model, TrainEstimate estimate)
    {
        this.thread = thread;
        this.spec = spec;
        this.model = model;
        var trained = TrainedWeights.Of(model, spec);
        optimizer = new AdamW(trained, spec.Optimizer);
        passes = new Passes(model, spec.RowsPerPass, FloatsOf(spec), spec.Recompute);
        Info = new TrainInfo(
            spec.ContentHash,
            model.Config.Architecture,
            model.Config.Vocabulary,
            model.Config.Context,
            trained.Sum(entry => entry.Value.numel()),
            model.Config.Parameters,
            estimate,
            [.. trained.Select(entry => new TrainedTensor(entry.Name, entry.Value.shape))]
        );
    }

    public TrainInfo Info { get; }

    /// <summary>Loads the model; what was loaded is gone again when that fails.</summary>
    public static async Task<TorchSession> OpenAsync(
        TrainSpec spec,
        IWeightSource source,
        TrainEstimate estimate,
        CancellationToken cancellationToken
    )
    {
        var own = new TorchThread(spec.Threads);
        try
        {
            return await own.RunAsync(() =>
                new TorchSession(own, spec, TrainedWeights.Load(source, spec, cancellationToken), estimate)
            );
        }
        catch
        {
            own.Dispose();
            throw;
        }
    }

    /// <summary>In which floats a pass computes.</summary>
    public static ScalarType FloatsOf(TrainSpec spec) =>
        spec.Precision == TrainPrecision.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;

    public Task<TrainStep> StepAsync(TrainBatch batch, double learningRate, CancellationToken cancellationToken) =>
        thread.RunAsync(() =>
            WithGradients(() =>
            {
                var sum = BackwardSum(batch, cancellationToken);
                return Advance(sum / batch.TrainedTokens, batch.TrainedTokens, learningRate);
            })
        );

    public Task<TrainEvaluation> EvaluateAsync(TrainBatch batch, CancellationToken cancellationToken) =>
        thread.RunAsync(() =>
        {
            var sum = RequireFinite(passes.Evaluate(batch, cancellationToken), "The loss");
            return new TrainEvaluation(sum, batch.TrainedTokens);
        });

    public Task<TrainGradients> BackwardAsync(TrainBatch batch, string path, CancellationToken cancellationToken) =>
        thread.RunAsync(() =>
            WithGradients(() =>
            {
                var sum = BackwardSum(batch, cancellationToken);
                RequireFinite(optimizer.GradientNorm(), "The gradient");
                StateFile.SaveGradients(path, optimizer);
                return new TrainGradients(sum, batch.TrainedTokens);
            })
        );

    /// <summary>The loss of the step is not known here, and told as 0.</summary>
    public Task<TrainStep> UpdateAsync(
        string path,
        long trainedTokens,
        double learningRate,
        CancellationToken cancellationToken
    ) =>
        thread.RunAsync(() =>
            WithGradients(() =>
            {
                StateFile.RestoreGradients(path, optimizer);
                return Advance(0, trainedTokens, learningRate);
            })
        );

    public Task<TrainSaved> SaveAsync(string path, bool weightsOnly, CancellationToken cancellationToken) =>
        thread.RunAsync(() => StateFile.Save(path, optimizer, spec, weightsOnly));

    public Task RestoreAsync(string path, CancellationToken cancellationToken) =>
        thread.RunAsync(() =>
        {
            StateFile.Restore(path, optimizer, spec, cancellationToken);
            return true;
        });

    public Task<IReadOnlyList<int>> ContinueAsync(
        IReadOnlyList<int> prompt,
        int maxTokens,
        IReadOnlyList<int> stops,
        CancellationToken cancellationToken
    ) => thread.RunAsync(() => passes.Continue(prompt, maxTokens, stops.ToHashSet(), cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await thread.RunAsync(() =>
        {
            optimizer.Dispose();
            model.Dispose();
            return true;
        });
        thread.Dispose();
    }

    private double BackwardSum(TrainBatch batch, CancellationToken cancellationToken) =>
        RequireFinite(passes.Backward(batch, cancellationToken), "The loss");

    private TrainStep Advance(double loss, long tokens, double learningRate)
    {
        var norm = RequireFinite(optimizer.GradientNorm() / tokens, "The gradient");
        optimizer.Advance(learningRate, tokens, norm);
        return new TrainStep(optimizer.Step, loss, norm, tokens);
    }

    /// <summary>Whatever happens, no gradient is left for the next call.</summary>
    private T WithGradients<T>(Func<T> compute)
    {
        try
        {
            return compute();
        }
        finally
        {
            optimizer.Clear();
        }
    }

    private static double RequireFinite(double value, string what) =>
        double.IsFinite(value)
            ? value
            : throw new EngineException(EngineErrorClass.NotFinite, $"{what} is no finite number: {value}.");
}
