namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>A set of code points, as ascending ranges that neither touch nor overlap. Surrogates are in none.</summary>
internal sealed record CharacterSet
{
    public static readonly CharacterSet Empty = new([]);
    public static readonly CharacterSet All = Of((0, 0xD7FF), (0xE000, 0x10FFFF));

    private CharacterSet(IReadOnlyList<(int First, int Last)> ranges) => Ranges = ranges;

    public IReadOnlyList<(int First, int Last)> Ranges { get; }

    public bool IsEmpty => Ranges.Count == 0;

    /// <param name="ranges">In any order.</param>
    public static CharacterSet Of(params IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<(int First, int Last)>();
        foreach (var range in ranges.OrderBy(range => range.First))
        {
            if (merged.Count > 0 && range.First <= merged[^1].Last + 1)
                merged[^1] = (merged[^1].First, Math.Max(merged[^1].Last, range.Last));
            else
                merged.Add(range);
        }
        return new CharacterSet(merged);
    }

    public static CharacterSet Single(int codePoint) => Of((codePoint, codePoint));

    public bool Contains(int codePoint) => Ranges.Any(range => range.First <= codePoint && codePoint <= range.Last);

    public CharacterSet With(CharacterSet other) => Of(Ranges.Concat(other.Ranges));

    public CharacterSet Without(CharacterSet other)
    {
        var left = new List<(int First, int Last)>();
        foreach (var (first, last) in Ranges)
        {
            var from = first;
            foreach (var hole in other.Ranges.Where(hole => hole.Last >= first && hole.First <= last))
            {
                if (hole.First > from)
                    left.Add((from, hole.First - 1));
                from = hole.Last + 1;
            }
            if (from <= last)
                left.Add((from, last));
        }
        return new CharacterSet(left);
    }
}
