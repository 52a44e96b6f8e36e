using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Next-token training of all weights with AdamW, clipped gradients and a scheduled rate.</summary>
public sealed class Trainer : IDisposable
{
    private static readonly AdamSettings Settings = new(WeightDecay: 0.1);

    private readonly TokenRows rows;
    private readonly TrainingOptions options;
    private readonly LearningRate rate;
    private readonly Random order;
    private readonly AdamW optimizer;
    private readonly Passes passes;

    /// <param name="model">Trained in place.</param>
    /// <param name="rows">What it learns.</param>
    /// <param name="options">How the run goes.</param>
    public Trainer(LlamaModel model, TokenRows rows, TrainingOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        this.rows = rows;
        this.options = options;
        rate = new LearningRate(options.PeakRate, options.WarmUpSteps, options.Steps);
        order = new Random(options.Seed);
        optimizer = new AdamW(model.Parameters, Settings);
        passes = PassesOf(model, options.BatchRows);
    }

    /// <summary>Steps done so far.</summary>
    public int Step => (int)optimizer.Step;

    /// <summary>One optimizer step; returns the mean loss of its rows in nats per token.</summary>
    public float Advance()
    {
        var batch = rows.Next(options.BatchRows, order);
        var tokens = batch.TrainedTokens;
        var loss = passes.Backward(batch, CancellationToken.None) / tokens;
        optimizer.Advance(rate.At(Step), tokens, optimizer.GradientNorm() / tokens);
        optimizer.Clear();
        return (float)loss;
    }

    /// <summary>Mean loss of given rows without training, in nats per token.</summary>
    public static float Evaluate(LlamaModel model, TokenRows rows, int count)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var batch = rows.First(count);
        return (float)(PassesOf(model, batch.Rows).Evaluate(batch, CancellationToken.None) / batch.TrainedTokens);
    }

    /// <summary>The most likely tokens that follow a prompt: for looking at a model, not for serving it.</summary>
    public static IReadOnlyList<int> Continue(
        LlamaModel model,
        IReadOnlyList<int> prompt,
        int limit,
        IReadOnlySet<int> stops
    ) => PassesOf(model, 1).Continue(prompt, limit, stops, CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose() => optimizer.Dispose();

    private static Passes PassesOf(LlamaModel model, int rows) =>
        new(model, rows, ScalarType.Float32, recompute: false);
}
