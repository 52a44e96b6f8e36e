namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// Puts whole samples into as few rows of one length as first-fit-decreasing finds: the longest sample first, of equally
/// long ones the earlier, each into the first row with room. Samples keep their order within a row, and rows come in the
/// order of their first samples, so that a shuffled order stays one. A pure function: same samples, same rows.
/// </summary>
public static class RowPacking
{
    /// <summary>Which samples go into which row.</summary>
    /// <param name="places">Places that each sample takes; see <see cref="TokenSample.Places"/>.</param>
    /// <param name="rowTokens">Places of a row.</param>
    /// <returns>Row by row the indices of its samples, ascending.</returns>
    /// <exception cref="ArgumentException">A sample takes no place, or more than a row has.</exception>
    public static int[][] Assign(IReadOnlyList<int> places, int rowTokens)
    {
        ArgumentNullException.ThrowIfNull(places);
        var rows = new List<List<int>>();
        var rooms = new List<int>();
        foreach (var index in Enumerable.Range(0, places.Count).OrderByDescending(index => places[index]))
        {
            var needed = places[index];
            if (needed < 1 || needed > rowTokens)
                throw new ArgumentException($"Sample {index} takes {needed} places: no row has it.", nameof(places));
            var row = rooms.FindIndex(room => room >= needed);
            if (row < 0)
            {
                row = rows.Count;
                rows.Add([]);
                rooms.Add(rowTokens);
            }
            rows[row].Add(index);
            rooms[row] -= needed;
        }
        return [.. rows.Select(row => row.Order().ToArray()).OrderBy(row => row[0])];
    }

    /// <summary>The rows themselves.</summary>
    /// <param name="samples">Samples of 2 to <paramref name="rowTokens"/> + 1 tokens.</param>
    /// <param name="rowTokens">Places of a row.</param>
    /// <param name="padToken">The input that fills a row's end; nothing is learnt from it.</param>
    /// <exception cref="ArgumentException">A sample takes no place, or more than a row has.</exception>
    public static IReadOnlyList<TrainingRow> Pack(IReadOnlyList<TokenSample> samples, int rowTokens, int padToken = 0)
    {
        ArgumentNullException.ThrowIfNull(samples);
        return
        [
            .. Assign([.. samples.Select(sample => sample.Places)], rowTokens)
                .Select(row => Row([.. row.Select(index => samples[index])], rowTokens, padToken)),
        ];
    }

    private static TrainingRow Row(TokenSample[] samples, int rowTokens, int padToken)
    {
        var row = new TrainingRow(new int[rowTokens], new int[rowTokens], new int[rowTokens]);
        var at = 0;
        for (var segment = 0; segment < samples.Length; segment++)
        {
            var (tokens, lossMask) = samples[segment];
            for (var i = 0; i + 1 < tokens.Length; i++, at++)
            {
                row.Inputs[at] = tokens[i];
                row.Targets[at] = lossMask[i + 1] != 0 ? tokens[i + 1] : -1;
                row.Segments[at] = segment;
            }
        }
        row.Inputs.AsSpan(at).Fill(padToken);
        row.Targets.AsSpan(at).Fill(-1);
        row.Segments.AsSpan(at).Fill(samples.Length);
        return row;
    }
}
