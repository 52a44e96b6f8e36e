namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>A stretch of a shown sample.</summary>
public sealed record PreviewPart(string Text, bool IsTrained);

/// <summary>One sample as the model sees it: at most the first <see cref="Limits.PreviewTokens"/> tokens.</summary>
/// <param name="Line">Its line in the file.</param>
/// <param name="Tokens">All its tokens.</param>
/// <param name="TrainedTokens">Those that the loss counts.</param>
public sealed record TrainingPreview(int Line, IReadOnlyList<PreviewPart> Parts, int Tokens, int TrainedTokens);

/// <summary>What a time estimate needs of a training file.</summary>
/// <param name="Tokens">Of all samples.</param>
/// <param name="TrainedTokens">Those that the loss counts.</param>
/// <param name="LongestTokens">Of the longest sample.</param>
/// <param name="Rows">Rows of an epoch, packed.</param>
public sealed record TrainingCounts(int Samples, long Tokens, long TrainedTokens, int LongestTokens, int Rows);

/// <summary>A training file, tokenised and counted.</summary>
/// <param name="Samples">In the order of the file.</param>
/// <param name="Preview">The first samples.</param>
public sealed record TrainingDataset(
    IReadOnlyList<TokenSample> Samples,
    TrainingCounts Counts,
    IReadOnlyList<TrainingPreview> Preview
)
{
    /// <summary>Reads a file; null where it has errors, which are then in <paramref name="findings"/>.</summary>
    /// <param name="input">JSONL; see <see cref="TrainingLines"/>.</param>
    /// <param name="encoder">Of the base model.</param>
    /// <param name="rowTokens">Places of a row, as the encoder has it.</param>
    /// <param name="findings">All that is wrong, and what is only worth knowing.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<TrainingDataset?> ReadAsync(
        Stream input,
        SampleEncoder encoder,
        int rowTokens,
        TrainingFindings findings,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(findings);
        var samples = new List<TokenSample>();
        var preview = new List<TrainingPreview>();
        var tokens = 0L;
        await foreach (var record in TrainingLines.ReadAsync(input, findings, cancellationToken))
        {
            if (encoder.Encode(record, findings) is not { } sample)
                continue;
            tokens += sample.Tokens.Length;
            if (tokens > Limits.TrainingTokens)
            {
                findings.Error(
                    record.Line,
                    TrainingFault.TooManyTokens,
                    $"The file has more than {Limits.TrainingTokens:N0} tokens.",
                    "Train on a part of it."
                );
                return null;
            }
            samples.Add(sample);
            if (preview.Count < Limits.PreviewSamples)
                preview.Add(
                    new TrainingPreview(record.Line, encoder.Show(sample), sample.Tokens.Length, sample.TrainedTokens)
                );
        }
        if (findings.Errors > 0)
            return null;
        var counts = new TrainingCounts(
            samples.Count,
            tokens,
            samples.Sum(sample => (long)sample.TrainedTokens),
            samples.Max(sample => sample.Tokens.Length),
            new RowOrder(samples, 0, rowTokens).CountRows(0)
        );
        return new TrainingDataset(samples, counts, preview);
    }
}
