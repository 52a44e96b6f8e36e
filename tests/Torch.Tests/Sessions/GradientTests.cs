using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;
using EgpuFleet.Kernels.Torch.Weights;
using EgpuFleet.Kernels.Training;
using TorchSharp;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>
/// Gradients against differences of losses: each weight is moved a little along its own gradient, both ways, and the loss must
/// change by the gradient's square.
/// </summary>
public sealed class GradientTests
{
    private const double Change = 0.02;

    [Theory]
    [InlineData("llama", TrainMethod.Full)]
    [InlineData("qwen2", TrainMethod.Full)]
    [InlineData("qwen3", TrainMethod.Full)]
    [InlineData("qwen3", TrainMethod.Lora)]
    public void Every_gradient_is_the_slope_of_the_loss(string architecture, TrainMethod method)
    {
        using var file = new TemporaryModel(new SyntheticModel(new SyntheticShape(architecture) { Layers = 2 }));
        var spec = Batches.Spec(file.Path, file.Hash, method);
        using var source = ModelOnDisk.Open(file.Path);
        using var model = TrainedWeights.Load(source, spec, TestContext.Current.CancellationToken);
        var trained = TrainedWeights.Of(model, spec);
        using var optimizer = new AdamW(trained, spec.Optimizer);
        var passes = new Passes(model, rowsPerPass: 3, torch.ScalarType.Float32, recompute: false);
        var batch = Batches.Random(9, ByteVocabulary.Size);
        // Away from the start, at which half of an adapter has no gradient.
        for (var step = 0; step < 3; step++)
        {
            passes.Backward(batch, TestContext.Current.CancellationToken);
            optimizer.Advance(1e-3, batch.TrainedTokens, optimizer.GradientNorm() / batch.TrainedTokens);
            optimizer.Clear();
        }
        passes.Backward(batch, TestContext.Current.CancellationToken);
        Assert.All(trained, entry => AssertSlope(passes, batch, entry.Name, entry.Value));
    }

    private static void AssertSlope(Passes passes, TrainBatch batch, string name, torch.Tensor value)
    {
        using var scope = torch.NewDisposeScope();
        using var noGradients = torch.no_grad();
        var gradient = value.grad!;
        var slope = gradient.to(torch.ScalarType.Float64).square().sum().item<double>();
        Assert.True(slope > 0, name);
        var before = value.clone();
        var way = (float)(Change / slope);
        var higher = LossAt(+1);
        var lower = LossAt(-1);
        value.copy_(before);
        Assert.True(
            Math.Abs(higher - lower - (2 * Change)) < 0.03 * 2 * Change,
            $"{name}: the loss went from {lower} to {higher}, not by {2 * Change}"
        );

        double LossAt(int sign)
        {
            value.copy_(before.add(gradient, sign * way));
            return passes.Evaluate(batch, TestContext.Current.CancellationToken);
        }
    }
}
