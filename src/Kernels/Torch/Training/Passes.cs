using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Batches through a model, so many rows at once: losses, and gradients that add up over the passes.</summary>
/// <param name="recompute">Whether only what goes into each block is kept for the way back.</param>
internal sealed class Passes(LlamaModel model, int rowsPerPass, ScalarType type, bool recompute)
{
    /// <summary>Sum of the losses in nats; gradients of that sum are added to those of the trained weights.</summary>
    /// <exception cref="OperationCanceledException">Between two passes; gradients are left half-done.</exception>
    public double Backward(TrainBatch batch, CancellationToken cancellationToken) =>
        OverPasses(batch, Backward, cancellationToken);

    /// <summary>Sum of the losses in nats.</summary>
    public double Evaluate(TrainBatch batch, CancellationToken cancellationToken) =>
        OverPasses(batch, Evaluate, cancellationToken);

    /// <summary>The most likely tokens that follow, without the one that ended it.</summary>
    public IReadOnlyList<int> Continue(
        IReadOnlyList<int> prompt,
        int limit,
        IReadOnlySet<int> stops,
        CancellationToken cancellationToken
    )
    {
        using var noGradients = no_grad();
        var all = prompt.ToList();
        while (all.Count < prompt.Count + limit && all.Count < model.Config.Context)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var state = Through(model.Embed(tensor(all.ToArray(), [1, all.Count], dtype: ScalarType.Int64)), null);
            var last = model.Normed(state.narrow(1, all.Count - 1, 1)).view(1, -1);
            var next = (int)last.mm(model.InFloatsOfPass(model.Output).t()).argmax().item<long>();
            if (stops.Contains(next))
                break;
            all.Add(next);
        }
        return all[prompt.Count..];
    }

    private double OverPasses(TrainBatch batch, Func<PassRows, double> pass, CancellationToken cancellationToken)
    {
        var sum = 0.0;
        for (var row = 0; row < batch.Rows; row += rowsPerPass)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = Math.Min(rowsPerPass, batch.Rows - row);
            using var scope = NewDisposeScope();
            var some = PassRows.Of(batch, row, rows, type);
            if (some.Targets.shape[0] > 0)
                sum += pass(some);
        }
        return sum;
    }

    private double Evaluate(PassRows rows)
    {
        using var noGradients = no_grad();
        return OutputLoss.Sum(model, Learning(Through(model.Embed(rows.Ids), rows.Mask), rows), rows.Targets, null);
    }

    private double Backward(PassRows rows)
    {
        var start = Detached(model.Embed(rows.Ids), model.Embedding.requires_grad);
        return recompute ? BackwardAgain(rows, start) : BackwardAtOnce(rows, start);
    }

    private double BackwardAtOnce(PassRows rows, Tensor start)
    {
        var sum = BackwardFromLoss(Through(start, rows.Mask), rows);
        BackwardIntoEmbedding(rows, start.grad);
        return sum;
    }

    private double BackwardAgain(PassRows rows, Tensor start)
    {
        var entries = new List<Tensor> { start };
        using (no_grad())
        {
            for (var layer = 0; layer < model.Config.Layers; layer++)
                entries.Add(model.Block(entries[layer], layer, rows.Mask));
        }
        var end = Detached(entries[^1], true);
        var sum = BackwardFromLoss(end, rows);
        var gradient = end.grad!;
        for (var layer = model.Config.Layers - 1; layer >= 0; layer--)
        {
            using var scope = NewDisposeScope();
            var entry = Detached(entries[layer], layer > 0 || start.requires_grad);
            model.Block(entry, layer, rows.Mask).backward([gradient]);
            if (!entry.requires_grad)
                return sum;
            gradient = entry.grad!.MoveToOuterDisposeScope();
        }
        BackwardIntoEmbedding(rows, gradient);
        return sum;
    }

    private double BackwardFromLoss(Tensor state, PassRows rows)
    {
        var learning = Learning(state, rows);
        var gradient = empty_like(learning, requires_grad: false);
        var sum = OutputLoss.Sum(model, learning.detach(), rows.Targets, gradient);
        learning.backward([gradient]);
        return sum;
    }

    private void BackwardIntoEmbedding(PassRows rows, Tensor? gradient)
    {
        if (gradient is null)
            return;
        using var noGradients = no_grad();
        var table = model.Embedding;
        var (ids, changes) = (rows.Ids.view(-1), gradient.view(-1, model.Config.Hidden));
        Gradients.Add(
            table,
            () => zeros(table.shape, ScalarType.Float32).index_add_(0, ids, changes, 1),
            total => total.index_add_(0, ids, changes, 1)
        );
    }

    /// <summary>What the head sees of the positions with a target [positions, hidden].</summary>
    private Tensor Learning(Tensor state, PassRows rows)
    {
        var flat = state.view(-1, model.Config.Hidden);
        return model.Normed(rows.Places is null ? flat : flat.index_select(0, rows.Places));
    }

    private Tensor Through(Tensor state, Tensor? mask)
    {
        for (var layer = 0; layer < model.Config.Layers; layer++)
            state = model.Block(state, layer, mask);
        return state;
    }

    private static Tensor Detached(Tensor tensor, bool requiresGradient) =>
        tensor.detach().requires_grad_(requiresGradient);
}
