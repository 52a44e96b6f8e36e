namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>Rows of one length, laid out flat as [<paramref name="Rows"/> × <paramref name="RowTokens"/>], row by row.</summary>
/// <param name="Rows">Rows.</param>
/// <param name="RowTokens">Tokens of each.</param>
/// <param name="Tokens">As in <see cref="TrainingRow"/>.</param>
/// <param name="LossMask">As in <see cref="TrainingRow"/>.</param>
/// <param name="Segments">As in <see cref="TrainingRow"/>: numbers count within a row.</param>
public sealed record TrainingBatch(int Rows, int RowTokens, int[] Tokens, byte[] LossMask, int[] Segments)
{
    /// <summary>Rows one after another.</summary>
    /// <exception cref="ArgumentException">There is none, or their lengths differ.</exception>
    public static TrainingBatch Of(IReadOnlyList<TrainingRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0)
            throw new ArgumentException("A batch has at least one row.", nameof(rows));
        var rowTokens = rows[0].Tokens.Length;
        if (rows.Any(row => row.Tokens.Length != rowTokens))
            throw new ArgumentException("The rows of a batch are equally long.", nameof(rows));
        return new TrainingBatch(
            rows.Count,
            rowTokens,
            [.. rows.SelectMany(row => row.Tokens)],
            [.. rows.SelectMany(row => row.LossMask)],
            [.. rows.SelectMany(row => row.Segments)]
        );
    }

    /// <summary>How many tokens the loss counts: what a mean over the batch divides by.</summary>
    public int TrainedTokens => LossMask.Count(counts => counts != 0);
}
