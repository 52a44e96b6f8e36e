using System.Text;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>Random texts of a grammar: any of its ways at first, then the shortest, so that each text ends.</summary>
internal sealed class GbnfSampler
{
    private const int Free = 400;

    private readonly IReadOnlyDictionary<string, GbnfNode> rules;
    private readonly Random random;
    private readonly Dictionary<string, int> depths = new(StringComparer.Ordinal);
    private readonly StringBuilder text = new();
    private int steps;

    public GbnfSampler(IReadOnlyDictionary<string, GbnfNode> rules, Random random)
    {
        (this.rules, this.random) = (rules, random);
        for (var isNew = true; isNew; )
        {
            isNew = false;
            foreach (var (name, node) in rules)
            {
                if (Depth(node) is { } depth && (!depths.TryGetValue(name, out var known) || depth < known))
                    (depths[name], isNew) = (depth, true);
            }
        }
    }

    /// <summary>Every rule comes to an end.</summary>
    public bool EveryRuleEnds => rules.Keys.All(depths.ContainsKey);

    public string Sample()
    {
        text.Clear();
        steps = 0;
        Write(rules["root"]);
        return text.ToString();
    }

    private void Write(GbnfNode node)
    {
        steps++;
        switch (node)
        {
            case GbnfText literal:
                foreach (var codePoint in literal.CodePoints)
                    text.Append(char.ConvertFromUtf32(codePoint));
                break;
            case GbnfSet set:
                text.Append(char.ConvertFromUtf32(CodePoint(set)));
                break;
            case GbnfSequence sequence:
                foreach (var part in sequence.Parts)
                    Write(part);
                break;
            case GbnfChoice choice:
                Write(
                    steps < Free
                        ? choice.Ways[random.Next(choice.Ways.Count)]
                        : choice.Ways.MinBy(way => Depth(way) ?? int.MaxValue)!
                );
                break;
            case GbnfTimes times:
                for (var left = Count(times); left > 0; left--)
                    Write(times.Repeated);
                break;
            case GbnfRule rule:
                Write(rules[rule.Name]);
                break;
        }
    }

    private int Count(GbnfTimes times)
    {
        if (steps >= Free)
            return times.Least;
        // Often a bound itself, since bounds are where mistakes are.
        var most = Math.Min(times.Most ?? int.MaxValue, times.Least + random.Next(6));
        return random.Next(4) == 0 && times.Most is { } end && end - times.Least < 64
            ? end
            : random.Next(times.Least, most + 1);
    }

    private int CodePoint(GbnfSet set)
    {
        var (first, last) = set.Ranges[random.Next(set.Ranges.Count)];
        // Mostly what texts are of; the far planes now and then.
        var end = random.Next(8) == 0 ? last : Math.Min(last, first + 96);
        return random.Next(first, end + 1);
    }

    /// <summary>Rules in one another that the shortest text needs; null: none is known yet.</summary>
    private int? Depth(GbnfNode node) =>
        node switch
        {
            GbnfSequence sequence => sequence.Parts.Aggregate((int?)0, (most, part) => Later(most, Depth(part))),
            GbnfChoice choice => choice.Ways.Select(Depth).Min(),
            GbnfTimes { Least: 0 } => 0,
            GbnfTimes times => Depth(times.Repeated),
            GbnfRule rule => depths.TryGetValue(rule.Name, out var depth) ? depth + 1 : null,
            _ => 0,
        };

    private static int? Later(int? one, int? other) => one is { } a && other is { } b ? Math.Max(a, b) : null;
}
