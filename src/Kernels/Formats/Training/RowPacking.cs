namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// Puts whole samples into as few rows of one length as first-fit-decreasing finds: the longest sample first, of equally
/// long ones the earlier, each into the first row with room. Samples keep their order within a row, and rows come in the
/// order of their first samples, so that a shuffled order stays one. A pure function: same samples, same rows.
/// </summary>
public static class RowPacking
{
    /// <summary>Which samples go into which row.</summary>
    /// <param name="sampleTokens">Tokens of each sample.</param>
    /// <param name="rowTokens">Tokens of a row.</param>
    /// <returns>Row by row the indices of its samples, ascending.</returns>
    /// <exception cref="ArgumentException">A sample is empty or longer than a row.</exception>
    public static int[][] Assign(IReadOnlyList<int> sampleTokens, int rowTokens)
    {
        ArgumentNullException.ThrowIfNull(sampleTokens);
        var rows = new List<List<int>>();
        var rooms = new List<int>();
        foreach (var index in Enumerable.Range(0, sampleTokens.Count).OrderByDescending(index => sampleTokens[index]))
        {
            var tokens = sampleTokens[index];
            if (tokens < 1 || tokens > rowTokens)
                throw new ArgumentException($"Sample {index} of {tokens} tokens fits no row.", nameof(sampleTokens));
            var row = rooms.FindIndex(room => room >= tokens);
            if (row < 0)
            {
                row = rows.Count;
                rows.Add([]);
                rooms.Add(rowTokens);
            }
            rows[row].Add(index);
            rooms[row] -= tokens;
        }
        return [.. rows.Select(row => row.Order().ToArray()).OrderBy(row => row[0])];
    }

    /// <summary>The rows themselves.</summary>
    /// <param name="samples">Samples of 1 to <paramref name="rowTokens"/> tokens.</param>
    /// <param name="rowTokens">Tokens of a row.</param>
    /// <param name="padToken">What fills a row's end; no loss counts it and nothing attends to it.</param>
    /// <exception cref="ArgumentException">A sample is empty or longer than a row.</exception>
    public static IReadOnlyList<TrainingRow> Pack(IReadOnlyList<TokenSample> samples, int rowTokens, int padToken = 0)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var lengths = samples.Select(sample => sample.Tokens.Length).ToArray();
        return
        [
            .. Assign(lengths, rowTokens)
                .Select(row => Row([.. row.Select(index => samples[index])], rowTokens, padToken)),
        ];
    }

    private static TrainingRow Row(TokenSample[] samples, int rowTokens, int padToken)
    {
        var row = new TrainingRow(new int[rowTokens], new byte[rowTokens], new int[rowTokens]);
        var at = 0;
        for (var i = 0; i < samples.Length; i++)
        {
            var (tokens, lossMask) = samples[i];
            tokens.CopyTo(row.Tokens, at);
            lossMask.CopyTo(row.LossMask, at);
            row.LossMask[at] = 0;
            row.Segments.AsSpan(at, tokens.Length).Fill(i + 1);
            at += tokens.Length;
        }
        row.Tokens.AsSpan(at).Fill(padToken);
        return row;
    }
}
