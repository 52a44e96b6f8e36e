namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>
/// The cut into words, numbers, punctuation and white space that GPT-4 introduced and most later vocabularies vary:
/// <code>
/// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
/// </code>
/// </summary>
/// <param name="MaxDigits">How many numbers stay together.</param>
/// <param name="MarksInWords">Whether combining marks are parts of words rather than of punctuation.</param>
/// <param name="ByCase">
/// Whether a word ends before a capital that follows a small letter; contractions are then no pieces of their own, and
/// punctuation may be followed by slashes as by line ends.
/// </param>
/// <param name="ContractionsEndWords">Whether a contraction belongs to the word before it.</param>
internal sealed record WordCutters(
    int MaxDigits,
    bool MarksInWords = false,
    bool ByCase = false,
    bool ContractionsEndWords = false
)
{
    private readonly CharacterKinds wordKinds =
        CharacterKinds.Letter | (MarksInWords ? CharacterKinds.Mark : CharacterKinds.None);

    /// <summary><c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c></summary>
    public static void Gpt2(CodePoints text, int start, int end, List<int> ends)
    {
        const CharacterKinds Rest = ~(CharacterKinds.Space | CharacterKinds.Letter | CharacterKinds.Number);
        for (var at = start; at < end; ends.Add(at))
        {
            if (Contraction(text, at, end, anyCase: false) is var length and > 0)
            {
                at += length;
                continue;
            }
            var first = text[at] == ' ' && at + 1 < end ? at + 1 : at;
            if (text.Is(first, CharacterKinds.Letter))
                at = EndOfRun(text, first, end, CharacterKinds.Letter);
            else if (text.Is(first, CharacterKinds.Number))
                at = EndOfRun(text, first, end, CharacterKinds.Number);
            else if (text.Is(first, Rest))
                at = EndOfRun(text, first, end, Rest);
            else
                at = EndOfSpace(text, at, end);
        }
    }

    /// <summary>The <see cref="Cutter"/> of these rules.</summary>
    public void Cut(CodePoints text, int start, int end, List<int> ends)
    {
        for (var at = start; at < end; ends.Add(at))
            at = EndOfPiece(text, at, end);
    }

    private int EndOfPiece(CodePoints text, int at, int end)
    {
        if (!ByCase && Contraction(text, at, end, anyCase: true) is var length and > 0)
            return at + length;
        if (StartOfWord(text, at, end) is var word and >= 0)
            return EndOfWord(text, word, end);
        if (text.Is(at, CharacterKinds.Number))
            return EndOfRun(text, at, Math.Min(end, at + MaxDigits), CharacterKinds.Number);
        var rest = ~(CharacterKinds.Space | CharacterKinds.Number | wordKinds);
        var first = text[at] == ' ' && at + 1 < end ? at + 1 : at;
        if (text.Is(first, rest))
        {
            var after = EndOfRun(text, first, end, rest);
            while (after < end && (PieceCutters.IsLineEnd(text, after) || (ByCase && text[after] == '/')))
                after++;
            return after;
        }
        var spaceEnd = EndOfRun(text, at, end, CharacterKinds.Space);
        for (var last = spaceEnd; last > at; last--)
        {
            if (PieceCutters.IsLineEnd(text, last - 1))
                return last;
        }
        return EndOfSpace(text, at, end);
    }

    /// <summary>Where the letters of a word begin that may have one other character before them; −1 where there is none.</summary>
    private int StartOfWord(CodePoints text, int at, int end)
    {
        var prefix = !text.Is(at, CharacterKinds.Letter | CharacterKinds.Number) && !PieceCutters.IsLineEnd(text, at);
        if (prefix && at + 1 < end && text.Is(at + 1, wordKinds))
            return at + 1;
        return text.Is(at, wordKinds) ? at : -1;
    }

    private int EndOfWord(CodePoints text, int word, int end)
    {
        var after = ByCase ? EndOfCasedRun(text, word, end) : EndOfRun(text, word, end, wordKinds);
        return ContractionsEndWords ? after + Contraction(text, after, end, anyCase: true) : after;
    }

    /// <summary>
    /// <c>U*V+|U+V*</c>, where U are letters but a to z and V letters but A to Z: the first that matches, with as many U as
    /// leave it a V.
    /// </summary>
    private static int EndOfCasedRun(CodePoints text, int word, int end)
    {
        var upper = word;
        while (upper < end && text.Is(upper, CharacterKinds.Letter) && text[upper] is not (>= 'a' and <= 'z'))
            upper++;
        var after = upper;
        while (after < end && IsLower(text, after))
            after++;
        if (after > upper)
            return after;
        for (var last = upper; last > word; last--)
        {
            if (IsLower(text, last - 1))
                return last;
        }
        return upper;
    }

    private static bool IsLower(CodePoints text, int at) =>
        text.Is(at, CharacterKinds.Letter) && text[at] is not (>= 'A' and <= 'Z');

    private static int EndOfRun(CodePoints text, int at, int end, CharacterKinds kinds)
    {
        while (at < end && text.Is(at, kinds))
            at++;
        return at;
    }

    /// <summary><c>\s+(?!\S)|\s+</c>: the last space before something else is left to it.</summary>
    private static int EndOfSpace(CodePoints text, int at, int end)
    {
        var after = EndOfRun(text, at, end, CharacterKinds.Space);
        return after < end && after - at > 1 ? after - 1 : after;
    }

    /// <summary>How many characters the contraction at a position has; 0 where there is none.</summary>
    private static int Contraction(CodePoints text, int at, int end, bool anyCase)
    {
        if (at + 1 >= end || text[at] != '\'')
            return 0;
        var fold = anyCase ? 0x20 : 0;
        var first = text[at + 1] | fold;
        if (first is 's' or 't' or 'm' or 'd')
            return 2;
        if (at + 2 >= end)
            return 0;
        var second = text[at + 2] | fold;
        return (first, second) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }
}
