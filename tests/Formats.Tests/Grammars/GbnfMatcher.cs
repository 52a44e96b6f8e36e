using System.Text;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>Tells whether a text is of a grammar, by every way at once. Rules must not begin with themselves.</summary>
internal sealed class GbnfMatcher(IReadOnlyDictionary<string, GbnfNode> rules)
{
    private readonly Dictionary<(string Rule, int From), HashSet<int>> known = [];
    private int[] text = [];

    public bool Matches(string candidate)
    {
        known.Clear();
        text = [.. candidate.EnumerateRunes().Select(rune => rune.Value)];
        return Ends(new GbnfRule("root"), 0).Contains(text.Length);
    }

    private HashSet<int> Ends(GbnfNode node, int from) =>
        node switch
        {
            GbnfText literal => text.AsSpan(from).StartsWith(literal.CodePoints)
                ? One(from + literal.CodePoints.Length)
                : None,
            GbnfSet set => from < text.Length && set.Contains(text[from]) ? One(from + 1) : None,
            GbnfSequence sequence => sequence.Parts.Aggregate(
                One(from),
                (ends, part) => Union(ends.Select(end => Ends(part, end)))
            ),
            GbnfChoice choice => Union(choice.Ways.Select(way => Ends(way, from))),
            GbnfTimes times => Times(times, from),
            GbnfRule rule => Rule(rule.Name, from),
            _ => throw new InvalidOperationException(node.ToString()),
        };

    private HashSet<int> Rule(string name, int from)
    {
        if (!known.TryGetValue((name, from), out var ends))
            known[(name, from)] = ends = Ends(rules[name], from);
        return ends;
    }

    private HashSet<int> Times(GbnfTimes times, int from)
    {
        var all = new HashSet<int>();
        var here = One(from);
        for (var count = 0; here.Count > 0 && (times.Most is not { } most || count <= most); count++)
        {
            if (count >= times.Least && !here.Except(all).Any())
                break;
            if (count >= times.Least)
                all.UnionWith(here);
            here = Union(here.Select(end => Ends(times.Repeated, end)));
        }
        return all;
    }

    private static readonly HashSet<int> None = new HashSet<int>();

    private static HashSet<int> One(int end) => new HashSet<int> { end };

    private static HashSet<int> Union(IEnumerable<HashSet<int>> sets) => sets.SelectMany(set => set).ToHashSet();
}
