namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>The simple cuts: runs and groups of one class of code points; what lies between them stays together.</summary>
internal static class PieceCutters
{
    /// <summary><c>X+</c></summary>
    public static Cutter Runs(Func<CodePoints, int, bool> isMember) => Groups(isMember, 1, int.MaxValue);

    /// <summary><c>X{least,most}</c></summary>
    public static Cutter Groups(Func<CodePoints, int, bool> isMember, int least, int most) =>
        (text, start, end, ends) => CutGroups(text, start, end, ends, new Group(isMember, least, most, false));

    /// <summary><c>\s?X+</c>, where no space is an X.</summary>
    public static Cutter RunsAfterSpace(Func<CodePoints, int, bool> isMember) =>
        (text, start, end, ends) => CutGroups(text, start, end, ends, new Group(isMember, 1, int.MaxValue, true));

    /// <summary><c>\s+$</c></summary>
    public static void TrailingSpace(CodePoints text, int start, int end, List<int> ends)
    {
        var from = end;
        while (from > start && text.Is(from - 1, CharacterKinds.Space))
            from--;
        if (from > start)
            ends.Add(from);
        if (from < end)
            ends.Add(end);
    }

    public static bool IsLetter(CodePoints text, int at) => text.Is(at, CharacterKinds.Letter);

    public static bool IsNumber(CodePoints text, int at) => text.Is(at, CharacterKinds.Number);

    public static bool IsPunctuation(CodePoints text, int at) => text.Is(at, CharacterKinds.Punctuation);

    public static bool IsPunctuationOrMath(CodePoints text, int at) =>
        IsPunctuation(text, at) || text[at] is '$' or '+' or '<' or '=' or '>' or '^' or '~' or '|';

    public static bool IsPunctuationOrMathOrBacktick(CodePoints text, int at) =>
        IsPunctuationOrMath(text, at) || text[at] == '`';

    public static bool IsDigit(CodePoints text, int at) => text[at] is >= '0' and <= '9';

    public static bool IsLineEnd(CodePoints text, int at) => text[at] is '\r' or '\n';

    private sealed record Group(Func<CodePoints, int, bool> IsMember, int Least, int Most, bool AfterSpace);

    private static void CutGroups(CodePoints text, int start, int end, List<int> ends, Group group)
    {
        var between = start;
        var at = start;
        while (at < end)
        {
            var first = at;
            if (group.AfterSpace && text.Is(at, CharacterKinds.Space) && at + 1 < end)
                first++;
            var last = first;
            while (last < end && last - first < group.Most && group.IsMember(text, last))
                last++;
            if (last - first < group.Least)
            {
                at++;
                continue;
            }
            if (at > between)
                ends.Add(at);
            ends.Add(last);
            between = at = last;
        }
        if (end > between)
            ends.Add(end);
    }
}
