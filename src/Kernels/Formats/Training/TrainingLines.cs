using System.Runtime.CompilerServices;
using EgpuFleet.Kernels.Formats.Lines;

namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// Reads a training file: JSONL whose lines all have one shape of <see cref="TrainingRecord"/>. CRLF, blank lines and a
/// byte-order mark are allowed. Memory is bounded by one line, whatever the file.
/// </summary>
public static class TrainingLines
{
    /// <summary>The good lines in order, while what is wrong with the others gathers in <paramref name="findings"/>.</summary>
    /// <param name="input">Read to its end unless <see cref="TrainingFindings.IsHopeless"/>; stays the caller's.</param>
    /// <param name="findings">Complete when the last record was read.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async IAsyncEnumerable<TrainingRecord> ReadAsync(
        Stream input,
        TrainingFindings findings,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        ArgumentNullException.ThrowIfNull(findings);
        await using var lines = new LineReader(input, Limits.TrainingLineBytes);
        var keysNamed = new HashSet<string>(StringComparer.Ordinal);
        Type? shape = null;
        var count = 0;
        while (!findings.IsHopeless && await lines.ReadAsync(cancellationToken))
        {
            if (Next(lines, findings, keysNamed) is not { } record)
                continue;
            shape ??= record.GetType();
            if (record.GetType() != shape)
            {
                findings.Error(
                    record.Line,
                    TrainingFault.MixedShapes,
                    $"Line {record.Line} has another shape than the lines before it.",
                    "Put conversations, completions and texts into files of their own."
                );
                continue;
            }
            if (++count > Limits.TrainingSamples)
            {
                findings.Error(
                    record.Line,
                    TrainingFault.TooManySamples,
                    $"The file has more than {Limits.TrainingSamples:N0} samples.",
                    "Train on a part of it."
                );
                yield break;
            }
            yield return record;
        }
        if (count == 0 && findings.Errors == 0)
            findings.Error(0, TrainingFault.Empty, "The file has no samples.", "Write one sample per line, as JSONL.");
    }

    private static TrainingRecord? Next(LineReader lines, TrainingFindings findings, HashSet<string> keysNamed)
    {
        if (lines.IsTooLong)
        {
            findings.Error(
                lines.Number,
                TrainingFault.LineTooLong,
                $"Line {lines.Number} is longer than {Limits.TrainingLineBytes >> 20} MiB.",
                "Cut the sample into several; none may be longer than the model's context."
            );
            return null;
        }
        var json = JsonLine.WithoutMark(lines.Line, lines.Number);
        return JsonLine.IsBlank(json) ? null : new TrainingLine(lines.Number, findings, keysNamed).Read(json);
    }
}
