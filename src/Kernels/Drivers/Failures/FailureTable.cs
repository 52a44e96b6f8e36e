using EgpuFleet.Kernels.Drivers.Failures.Rows;

namespace EgpuFleet.Kernels.Drivers.Failures;

/// <summary>A signature that was found in a text.</summary>
/// <param name="Signature">The row.</param>
/// <param name="Line">The line of the text it begins on, without surrounding space; at most <see cref="Limits.SeenCharacters"/>.</param>
public sealed record FailureMatch(FailureSignature Signature, string Line);

/// <summary>
/// Every known failure text, as data. The rows stand in order of cause: a row that explains the texts of others comes before
/// them, from the machine over the link and the firmware to what a running program sees.
/// </summary>
public static class FailureTable
{
    public static IReadOnlyList<FailureSignature> Rows { get; } =
    [
        .. HostFailures.Rows,
        .. AttachmentFailures.Rows,
        .. LinkFailures.Rows,
        .. FirmwareFailures.Rows,
        .. CompilerFailures.Rows,
        .. RunFailures.Rows,
        .. SymptomFailures.Rows,
    ];

    /// <summary>The failures a text speaks of, first cause first; empty where it speaks of none that is known.</summary>
    /// <param name="text">
    /// A traceback, a log or a panic report, of any content and size; of a long one the beginning and the end are read.
    /// </param>
    public static IReadOnlyList<FailureMatch> Classify(string text) => Classify(text, Rows);

    internal static IReadOnlyList<FailureMatch> Classify(string text, IReadOnlyList<FailureSignature> rows)
    {
        var bounded = Bounded(text);
        var found = new List<FailureMatch>();
        foreach (var signature in rows)
        {
            if (signature.IndexIn(bounded) is >= 0 and var index)
                found.Add(new FailureMatch(signature, LineAt(bounded, index)));
        }
        return found;
    }

    private static string Bounded(string text)
    {
        if (text.Length <= Limits.FailureTextCharacters)
            return text;
        const int half = Limits.FailureTextCharacters / 2;
        return $"{text.AsSpan(0, half)}\n{text.AsSpan(text.Length - half)}";
    }

    private static string LineAt(string text, int index)
    {
        var start = index == 0 ? 0 : text.LastIndexOf('\n', index - 1) + 1;
        var end = text.IndexOf('\n', index);
        var line = text.AsSpan(start, (end < 0 ? text.Length : end) - start).Trim(" \t\r|+-");
        // A line may be as long as the whole text; what matters of it begins at the match.
        if (line.Length > Limits.SeenCharacters)
            line = text.AsSpan(index, Math.Min(Limits.SeenCharacters, text.Length - index));
        return line.ToString();
    }
}
