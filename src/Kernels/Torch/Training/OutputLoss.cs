using EgpuFleet.Kernels.Torch.Model;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>
/// Cross-entropy behind the output head, some positions at a time: logits of all positions never exist at once, and their
/// gradient is made in place of them.
/// </summary>
internal static class OutputLoss
{
    /// <summary>Logits that exist at once.</summary>
    public const long PieceFloats = 8 << 20;

    /// <summary>Sum in nats.</summary>
    /// <param name="normed">[positions, hidden], as the head multiplies it.</param>
    /// <param name="gradient">Of the sum, by <paramref name="normed"/>; null: not wanted. The head's own is added to it where it is trained.</param>
    public static double Sum(LlamaModel model, Tensor normed, Tensor targets, Tensor? gradient)
    {
        using var noGradients = no_grad();
        using var outer = NewDisposeScope();
        var output = model.InFloatsOfPass(model.Output);
        var positions = targets.shape[0];
        var atOnce = Math.Clamp(PieceFloats / model.Config.Vocabulary, 1, positions);
        var sum = 0.0;
        for (var first = 0L; first < positions; first += atOnce)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(atOnce, positions - first);
            var states = normed.narrow(0, first, count);
            var wanted = targets.narrow(0, first, count).unsqueeze(1);
            var logits = states.mm(output.t());
            var logarithms = (logits.dtype == ScalarType.Float32 ? logits : logits.to(ScalarType.Float32)).log_softmax(
                1
            );
            foreach (var value in logarithms.gather(1, wanted).data<float>())
                sum -= value;
            if (gradient is null)
                continue;
            var change = logarithms.exp_().scatter_add_(1, wanted, full([count, 1], -1f));
            if (change.dtype != output.dtype)
                change = change.to(output.dtype);
            _ = gradient.narrow(0, first, count).copy_(change.mm(output));
            if (model.Output.requires_grad)
                AddOutput(model.Output, change.t(), states);
        }
        return sum;
    }

    private static void AddOutput(Tensor output, Tensor changes, Tensor states) =>
        Gradients.Add(
            output,
            () => changes.mm(states),
            total => total.dtype == states.dtype ? total.addmm_(changes, states) : total.add_(changes.mm(states))
        );
}
