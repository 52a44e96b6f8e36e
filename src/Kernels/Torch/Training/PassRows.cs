using EgpuFleet.Kernels.Training;
using static TorchSharp.torch;

namespace EgpuFleet.Kernels.Torch.Training;

/// <summary>Some rows of a batch as tensors; they belong to the scope they are made in.</summary>
/// <param name="Ids">[rows, tokens].</param>
/// <param name="Mask">Added to scores [rows, 1, tokens, tokens]; null: plainly causal.</param>
/// <param name="Places">Positions with a target among rows × tokens; null: all of them.</param>
/// <param name="Targets">As many as there are places.</param>
internal sealed record PassRows(Tensor Ids, Tensor? Mask, Tensor? Places, Tensor Targets)
{
    /// <param name="type">Floats of the pass.</param>
    public static PassRows Of(TrainBatch batch, int firstRow, int rows, ScalarType type)
    {
        var range = new Range(firstRow * batch.RowTokens, (firstRow + rows) * batch.RowTokens);
        var targets = batch.Targets[range];
        long[] places = [.. Enumerable.Range(0, targets.Length).Where(i => targets[i] >= 0).Select(i => (long)i)];
        return new PassRows(
            tensor(batch.Inputs[range], [rows, batch.RowTokens], dtype: ScalarType.Int64),
            MaskOf(batch.Segments[range], targets, batch.RowTokens, type),
            places.Length == targets.Length ? null : tensor(places),
            tensor(targets.Where(target => target >= 0).Select(target => (long)target).ToArray())
        );
    }

    /// <summary>
    /// A row whose targets are all in its first segment needs none: what comes after, padding mostly, is seen by nobody who
    /// learns.
    /// </summary>
    private static Tensor? MaskOf(int[] segments, int[] targets, int rowTokens, ScalarType type)
    {
        var isPlain = true;
        for (var i = 0; i < segments.Length; i++)
            isPlain &= targets[i] < 0 || segments[i] == segments[i - (i % rowTokens)];
        if (isPlain)
            return null;
        using var scope = NewDisposeScope();
        var rows = segments.Length / rowTokens;
        var numbers = tensor(segments, [rows, rowTokens]);
        var hidden = numbers.unsqueeze(1).not_equal(numbers.unsqueeze(2));
        var later = ones([rowTokens, rowTokens], ScalarType.Bool).triu(1);
        return zeros([rows, rowTokens, rowTokens], type)
            .masked_fill(hidden.logical_or(later), float.NegativeInfinity)
            .unsqueeze(1)
            .MoveToOuterDisposeScope();
    }
}
