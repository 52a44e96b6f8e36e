using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>What of a run's data was used: the next row is <see cref="Row"/> of the microshard of the epoch. Part of a checkpoint.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct DataCursor(int Epoch, int Microshard, int Row);

/// <summary>A row, and where the run stands once it is used.</summary>
public sealed record PlacedRow(TrainingRow Row, DataCursor Next);

/// <summary>
/// All rows of a run in order. An epoch is a seeded permutation of the samples, cut into microshards, each packed into
/// rows by itself: one device that takes the microshards in order and many that lease them see the same rows. Safe to use
/// from any thread.
/// </summary>
/// <param name="samples">Samples of at most <paramref name="rowTokens"/> places; at least one.</param>
/// <param name="seed">The run's seed.</param>
/// <param name="rowTokens">Places of a row.</param>
/// <param name="microshardSamples">Fewest samples of a microshard; see <see cref="Training.Microshards"/>.</param>
/// <param name="padToken">What fills a row's end.</param>
public sealed class RowOrder(
    IReadOnlyList<TokenSample> samples,
    ulong seed,
    int rowTokens,
    int microshardSamples = Limits.MicroshardSamples,
    int padToken = 0
)
{
    // Computing an epoch's order takes as long as it has samples, and its microshards are asked for one after another.
    private volatile EpochOrder? latest;

    /// <summary>Microshards of each epoch.</summary>
    public int Microshards { get; } = Training.Microshards.Count(samples.Count, microshardSamples);

    /// <summary>Indices of the samples of a microshard, in the order of the epoch.</summary>
    public IReadOnlyList<int> SamplesOf(int epoch, int microshard)
    {
        var part = Training.Microshards.Of(samples.Count, Microshards, microshard);
        return OrderOf(epoch)[part.Start..part.End];
    }

    /// <summary>The rows of a microshard.</summary>
    public IReadOnlyList<TrainingRow> Rows(int epoch, int microshard) =>
        RowPacking.Pack([.. SamplesOf(epoch, microshard).Select(index => samples[index])], rowTokens, padToken);

    /// <summary>How many rows an epoch has; it differs a little from epoch to epoch.</summary>
    public int CountRows(int epoch) =>
        Enumerable
            .Range(0, Microshards)
            .Select(microshard => SamplesOf(epoch, microshard).Select(index => samples[index].Places).ToArray())
            .Sum(lengths => RowPacking.Assign(lengths, rowTokens).Length);

    /// <summary>The rows from a place on, up to the end of the last epoch.</summary>
    /// <param name="cursor">As <see cref="PlacedRow.Next"/> of the row used last; the default is the start.</param>
    /// <param name="epochs">Epochs of the run.</param>
    public IEnumerable<PlacedRow> From(DataCursor cursor, int epochs)
    {
        for (var epoch = cursor.Epoch; epoch < epochs; epoch++)
        {
            for (var microshard = cursor.Microshard; microshard < Microshards; microshard++)
            {
                var rows = Rows(epoch, microshard);
                for (var row = cursor.Row; row < rows.Count; row++)
                    yield return new PlacedRow(rows[row], After(new DataCursor(epoch, microshard, row), rows.Count));
                cursor = default;
            }
            cursor = default;
        }
    }

    private DataCursor After(DataCursor used, int rows)
    {
        if (used.Row + 1 < rows)
            return used with { Row = used.Row + 1 };
        return used.Microshard + 1 < Microshards
            ? new DataCursor(used.Epoch, used.Microshard + 1, 0)
            : new DataCursor(used.Epoch + 1, 0, 0);
    }

    private int[] OrderOf(int epoch)
    {
        if (latest is { } known && known.Epoch == epoch)
            return known.Order;
        var order = SampleOrder.Permutation(seed, epoch, samples.Count);
        latest = new EpochOrder(epoch, order);
        return order;
    }

    private sealed record EpochOrder(int Epoch, int[] Order);
}
