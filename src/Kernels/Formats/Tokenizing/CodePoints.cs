using System.Text;

namespace EgpuFleet.Kernels.Formats.Tokenizing;

/// <summary>A text as code points with their kinds; positions count code points.</summary>
internal sealed class CodePoints
{
    private readonly int[] values;
    private readonly CharacterKinds[] kinds;

    private CodePoints(int capacity)
    {
        values = new int[capacity];
        kinds = new CharacterKinds[capacity];
    }

    public int Count { get; private set; }

    /// <param name="text">Valid UTF-16.</param>
    public static CodePoints Of(ReadOnlySpan<char> text)
    {
        var points = new CodePoints(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            points.values[points.Count] = rune.Value;
            points.kinds[points.Count++] = CharacterKind.Of(rune.Value);
        }
        return points;
    }

    /// <summary>The code point at a position.</summary>
    public int this[int at] => values[at];

    /// <summary>Whether the code point at a position is of any of these kinds.</summary>
    public bool Is(int at, CharacterKinds any) => (kinds[at] & any) != CharacterKinds.None;

    /// <summary>UTF-16 characters of the code points from <paramref name="start"/> up to <paramref name="end"/>.</summary>
    public int CharsBetween(int start, int end)
    {
        var chars = end - start;
        for (var at = start; at < end; at++)
            chars += values[at] > char.MaxValue ? 1 : 0;
        return chars;
    }
}
