using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Training.Shared;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>The data of a run as rows of tokens.</summary>
/// <param name="Order">Rows of the training data, in order.</param>
/// <param name="Rows">Of all epochs together.</param>
/// <param name="Validation">The whole validation data, or its beginning, in batches; null without any.</param>
/// <param name="Shown">A sample to look at the model with.</param>
/// <param name="Shared">The same by microshards; null for a run on one device.</param>
internal sealed record TrainingData(
    RowOrder Order,
    long Rows,
    IReadOnlyList<TrainBatch>? Validation,
    TokenSample Shown,
    SharedRows? Shared
)
{
    public static TrainingData Of(
        IReadOnlyList<TokenSample> training,
        IReadOnlyList<TokenSample>? validation,
        TrainParameters parameters
    )
    {
        var order = new RowOrder(training, unchecked((ulong)parameters.Seed), parameters.RowTokens);
        var shared = parameters.DataParallel is { } wished ? new SharedRows(training, parameters, wished) : null;
        var rows =
            shared?.CountRows() ?? Enumerable.Range(0, parameters.Epochs).Sum(epoch => (long)order.CountRows(epoch));
        return new TrainingData(order, rows, BatchesOf(validation, parameters), (validation ?? training)[0], shared);
    }

    private static TrainBatch[]? BatchesOf(IReadOnlyList<TokenSample>? samples, TrainParameters parameters)
    {
        if (samples is null)
            return null;
        var most = Math.Max(1, Limits.ValidationTokens / parameters.RowTokens);
        var rows = RowPacking.Pack(samples, parameters.RowTokens).Take(most);
        return [.. rows.Chunk(parameters.BatchRows).Select(TrainBatch.Of)];
    }
}
