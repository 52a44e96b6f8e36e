using EgpuFleet.Kernels.Torch.Model;
using TorchSharp;
using static TorchSharp.torch;
using AdamW = TorchSharp.Modules.AdamW;
using Functions = TorchSharp.torch.nn.functional;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Next-token training of all weights with AdamW, clipped gradients and a scheduled rate.</summary>
public sealed class Trainer : IDisposable
{
    private const double ClipNorm = 1.0;
    private const double WeightDecay = 0.1;

    private readonly LlamaModel model;
    private readonly TokenRows rows;
    private readonly TrainingOptions options;
    private readonly LearningRate rate;
    private readonly Random order;
    private readonly AdamW optimizer;

    /// <param name="model">Trained in place.</param>
    /// <param name="rows">What it learns.</param>
    /// <param name="options">How the run goes.</param>
    public Trainer(LlamaModel model, TokenRows rows, TrainingOptions options)
    {
        this.model = model;
        this.rows = rows;
        this.options = options;
        rate = new LearningRate(options.PeakRate, options.WarmUpSteps, options.Steps);
        order = new Random(options.Seed);
        var matrices = model.Parameters.Where(entry => entry.Value.dim() > 1).Select(entry => entry.Value);
        var norms = model.Parameters.Where(entry => entry.Value.dim() == 1).Select(entry => entry.Value);
        optimizer = optim.AdamW(
            [
                new AdamW.ParamGroup(matrices, options.PeakRate, 0.9, 0.95, weight_decay: WeightDecay),
                new AdamW.ParamGroup(norms, options.PeakRate, 0.9, 0.95, weight_decay: 0),
            ],
            options.PeakRate
        );
    }

    /// <summary>Steps done so far.</summary>
    public int Step { get; private set; }

    /// <summary>One optimizer step; returns the mean loss of its rows in nats per token.</summary>
    public float Advance()
    {
        using var scope = NewDisposeScope();
        foreach (var group in optimizer.ParamGroups)
            group.LearningRate = rate.At(Step);
        var (inputs, targets) = rows.Next(options.BatchRows, order);
        optimizer.zero_grad();
        var loss = Loss(model, inputs, targets);
        loss.backward();
        _ = nn.utils.clip_grad_norm_(model.Parameters.Select(entry => entry.Value), ClipNorm);
        _ = optimizer.step();
        Step++;
        return loss.item<float>();
    }

    /// <summary>Mean loss of given rows without training, in nats per token.</summary>
    public static float Evaluate(LlamaModel model, TokenRows rows, int count)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (inputs, targets) = rows.First(count);
        return Loss(model, inputs, targets).item<float>();
    }

    /// <inheritdoc/>
    public void Dispose() => optimizer.Dispose();

    private static Tensor Loss(LlamaModel model, Tensor inputs, Tensor targets) =>
        Functions.cross_entropy(model.Forward(inputs).view(-1, model.Config.Vocabulary), targets.reshape(-1));
}
