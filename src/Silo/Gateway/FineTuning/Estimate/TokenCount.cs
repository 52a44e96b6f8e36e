using EgpuFleet.Kernels.Formats.Chat;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.Silo.Postgres.Files;

namespace EgpuFleet.Silo.Gateway.FineTuning.Estimate;

/// <summary>A file in tokens of a model; of a large one the beginning is counted, and the rest taken to be like it.</summary>
/// <param name="IsWhole">Whether all was counted.</param>
internal sealed record CountedData(
    long Tokens,
    long TrainedTokens,
    int LongestTokens,
    long Rows,
    bool IsWhole,
    TrainingPreview? Preview,
    IReadOnlyList<TrainingFinding> Warnings
);

/// <summary>Tokenises data as the device that trains will, for a bounded time.</summary>
internal sealed class TokenCount(FileTables files, TimeProvider time)
{
    /// <summary>How samples of a model are encoded.</summary>
    /// <exception cref="GatewayException">400: the model has a tokenizer or a chat template that is not understood.</exception>
    public static SampleEncoder EncoderOf(string modelPath, int rowTokens)
    {
        try
        {
            using var file = File.OpenRead(modelPath);
            var reader = GgufReader.Open(file);
            var tokenizer = GgufTokenizer.From(reader);
            return new SampleEncoder(tokenizer, ChatTemplate.Of(reader.Metadata, tokenizer), rowTokens);
        }
        catch (Exception e) when (e is GgufException or ChatTemplateException)
        {
            throw new GatewayException(System.Net.HttpStatusCode.BadRequest, "model_not_trainable", e.Message)
            {
                Param = "model",
            };
        }
    }

    /// <exception cref="GatewayException">400: samples that are too long, or that the model's template refuses.</exception>
    public async Task<CountedData> CountAsync(
        CheckedData data,
        string field,
        SampleEncoder encoder,
        int rowTokens,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        var findings = new TrainingFindings();
        var samples = new List<TokenSample>();
        var (bytes, tokens) = (0L, 0L);
        var isWhole = true;
        TrainingPreview? preview = null;
        await using var content = files.Open(data.Stored);
        await foreach (var record in TrainingLines.ReadAsync(content, findings, cancellationToken))
        {
            if (encoder.Encode(record, findings) is not { } sample)
                continue;
            preview ??= new TrainingPreview(
                record.Line,
                encoder.Show(sample),
                sample.Tokens.Length,
                sample.TrainedTokens
            );
            samples.Add(sample);
            (bytes, tokens) = (bytes + TrainingDataCheck.BytesOf(record), tokens + sample.Tokens.Length);
            isWhole = samples.Count == data.Facts.Samples;
            if (tokens >= Limits.EstimatedTokens || time.GetElapsedTime(began) >= Limits.EstimateCounting)
                break;
        }
        if (findings.Errors > 0)
            throw TrainingDataCheck.Refused(field, findings);
        var scale = isWhole ? 1 : data.Facts.TextBytes / (double)Math.Max(1, bytes);
        return new CountedData(
            Scaled(tokens),
            Scaled(samples.Sum(sample => (long)sample.TrainedTokens)),
            samples.Max(sample => sample.Tokens.Length),
            Math.Max(1, Scaled(new RowOrder(samples, 0, rowTokens).CountRows(0))),
            isWhole,
            preview,
            [.. findings.Listed.Where(one => !one.IsError)]
        );

        long Scaled(long counted) => (long)Math.Ceiling(counted * scale);
    }
}
