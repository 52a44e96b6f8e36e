using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>A stretch of a text: plain where <see cref="Token"/> is <see cref="TokenVocabulary.None"/>, else that token.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct TextPart(int Start, int Length, int Token);

/// <summary>
/// Finds tokens that are taken whole out of a text before everything else: the longest first (in UTF-8 bytes), of equally
/// long ones the leftmost first, each where no earlier one has taken a part of it. That is what one search per token in
/// order of length finds, but the time does not grow with the number of tokens.
/// </summary>
internal sealed class SpecialTokens
{
    private readonly string[] names;
    private readonly int[] ids;
    private readonly SearchValues<char> firstLetters;
    private readonly Func<int, bool> swallowsSpaceAfter;

    /// <param name="vocabulary">Its tokens.</param>
    /// <param name="tokens">Ids of those to find.</param>
    /// <param name="swallowsSpaceAfter">Whether white space after a token is dropped.</param>
    public SpecialTokens(TokenVocabulary vocabulary, IEnumerable<int> tokens, Func<int, bool> swallowsSpaceAfter)
    {
        this.swallowsSpaceAfter = swallowsSpaceAfter;
        ids = [.. tokens.OrderBy(vocabulary.Text, StringComparer.Ordinal)];
        names = [.. ids.Select(vocabulary.Text)];
        if (names.FirstOrDefault(name => name.Length > Limits.SpecialTokenChars) is { } tooLong)
            throw TokenVocabulary.Limit(
                $"The text of token {vocabulary.Find(tooLong)} is longer than the {Limits.SpecialTokenChars} characters "
                    + "that a token found in text may have."
            );
        firstLetters = SearchValues.Create(names.Select(name => name[0]).Distinct().ToArray());
    }

    /// <summary>The parts of a text in order; dropped white space is in none.</summary>
    public List<TextPart> Cut(string text)
    {
        var matches = FindLongest(text);
        if (matches.Count == 0)
            return text.Length == 0 ? [] : [new TextPart(0, text.Length, TokenVocabulary.None)];
        var taken = new bool[text.Length];
        var parts = new List<TextPart>();
        while (matches.TryDequeue(out var match, out _))
        {
            if (taken[match.Start])
                continue;
            if (taken[match.Start + match.Length - 1])
            {
                // A shorter token at the same place may still fit before what is taken.
                Offer(matches, text, match.Start, Array.IndexOf(taken, true, match.Start));
                continue;
            }
            parts.Add(match);
            var end = match.Start + match.Length;
            if (swallowsSpaceAfter(match.Token))
            {
                while (end < text.Length && !taken[end] && text[end] is ' ' or (>= '\t' and <= '\r'))
                    end++;
            }
            taken.AsSpan(match.Start..end).Fill(true);
        }
        AddPlainParts(taken, parts);
        parts.Sort((left, right) => left.Start.CompareTo(right.Start));
        return parts;
    }

    private static void AddPlainParts(bool[] taken, List<TextPart> parts)
    {
        for (var start = 0; start < taken.Length; )
        {
            var length = taken.AsSpan(start).IndexOf(true);
            if (length < 0)
                length = taken.Length - start;
            if (length > 0)
                parts.Add(new TextPart(start, length, TokenVocabulary.None));
            start += length;
            var skip = start < taken.Length ? taken.AsSpan(start).IndexOf(false) : 0;
            start = skip < 0 ? taken.Length : start + skip;
        }
    }

    /// <summary>At each place the longest token there.</summary>
    private PriorityQueue<TextPart, (int, int)> FindLongest(string text)
    {
        var matches = new PriorityQueue<TextPart, (int, int)>();
        for (var at = 0; at < text.Length; at++)
        {
            var skip = text.AsSpan(at).IndexOfAny(firstLetters);
            if (skip < 0)
                break;
            at += skip;
            Offer(matches, text, at, text.Length);
        }
        return matches;
    }

    private void Offer(PriorityQueue<TextPart, (int, int)> matches, string text, int start, int end)
    {
        var index = Longest(text.AsSpan(start..end));
        if (index < 0)
            return;
        var bytes = Encoding.UTF8.GetByteCount(names[index]);
        matches.Enqueue(new TextPart(start, names[index].Length, ids[index]), (-bytes, start));
    }

    /// <summary>The longest name that the text starts with: the sorted names are narrowed down letter by letter.</summary>
    private int Longest(ReadOnlySpan<char> text)
    {
        var found = -1;
        var low = 0;
        var high = names.Length;
        for (var depth = 0; depth < text.Length && low < high; depth++)
        {
            low = FirstNotBelow(low, high, depth, text[depth]);
            high = FirstNotBelow(low, high, depth, text[depth] + 1);
            // Of the names with this beginning the one that ends here comes first.
            if (low < high && names[low].Length == depth + 1)
                found = low++;
        }
        return found;
    }

    private int FirstNotBelow(int low, int high, int depth, int letter)
    {
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            if (names[middle][depth] < letter)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
