using System.Text.RegularExpressions;

namespace EgpuFleet.Kernels.Torch.Tokenizing;

/// <summary>
/// Cuts text into the pieces inside which byte pairs may merge, by the expression that llama.cpp uses for
/// <c>tokenizer.ggml.pre = llama-bpe</c>. Letters beyond the basic plane count as symbols here.
/// </summary>
public static partial class PreTokenizer
{
    /// <summary>The pieces in order; together they are the text.</summary>
    public static IEnumerable<string> Split(string text) => Pieces().Matches(text).Select(match => match.Value);

    [GeneratedRegex(
        @"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
            + @"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 10_000
    )]
    private static partial Regex Pieces();
}
