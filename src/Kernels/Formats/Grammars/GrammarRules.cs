using System.Text;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>The rules of a grammar while it is made; a rule may be used before it is said what it stands for.</summary>
internal sealed class GrammarRules
{
    private const string Root = "root";

    private readonly Dictionary<string, Piece> rules = new(StringComparer.Ordinal);
    private readonly List<string> order = [];

    /// <summary>A name that no rule has, made of a hint.</summary>
    /// <exception cref="SchemaException">There are too many rules.</exception>
    public string Reserve(string hint)
    {
        if (order.Count == Limits.GrammarRules)
            throw new SchemaException(
                SchemaFault.Limit,
                "#",
                $"the schema makes more than {Limits.GrammarRules:N0} rules of a grammar"
            );
        var stem = string.Concat(hint.Where(char.IsAsciiLetterOrDigit).Take(24));
        var name = $"{(stem.Length == 0 ? "rule" : stem)}-{order.Count}";
        order.Add(name);
        return name;
    }

    public void Define(string name, Piece piece) => rules.Add(name, piece);

    /// <summary>A rule for a piece.</summary>
    public Piece Add(string hint, Piece piece)
    {
        if (piece is Literal or Use || piece == Piece.Never)
            return piece;
        var name = Reserve(hint);
        Define(name, piece);
        return new Use(name);
    }

    /// <summary>The grammar in GBNF, as llama.cpp reads it. What no text can come of is left out.</summary>
    /// <exception cref="SchemaException">Nothing is left, or too much.</exception>
    public string Write(Piece root)
    {
        Define(Root, root);
        Unroll();
        var ending = Ending();
        if (!ending.Contains(Root))
            throw new SchemaException(SchemaFault.Impossible, "#", "no text satisfies the schema");
        var writer = new GbnfWriter(ending);
        var text = new StringBuilder();
        foreach (var name in order.Prepend(Root).Where(ending.Contains))
        {
            text.Append(name).Append(" ::= ");
            writer.Write(text, rules[name]);
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>
    /// A rule that is, among others, itself stands for the others. Engines do not read it so: it is said without itself.
    /// </summary>
    private void Unroll()
    {
        foreach (var name in rules.Keys.Where(name => Others(name).Loops).ToList())
            rules[name] = Piece.Any(Others(name).Ways);
    }

    /// <summary>What a rule stands for when each rule that is one of its ways is replaced by that rule's ways.</summary>
    private (bool Loops, IReadOnlyList<Piece> Ways) Others(string name)
    {
        var (loops, ways, seen) = (false, new List<Piece>(), new HashSet<string>(StringComparer.Ordinal) { name });
        var left = new Stack<Piece>([rules[name]]);
        while (left.TryPop(out var piece))
        {
            switch (piece)
            {
                case Choice choice:
                    foreach (var way in choice.Ways.Reverse())
                        left.Push(way);
                    break;
                case Use use when rules.ContainsKey(use.Rule):
                    loops |= use.Rule == name;
                    if (seen.Add(use.Rule))
                        left.Push(rules[use.Rule]);
                    break;
                default:
                    ways.Add(piece);
                    break;
            }
        }
        return (loops, ways);
    }

    /// <summary>Rules that come to an end: some finite text is of them.</summary>
    private HashSet<string> Ending()
    {
        var ending = new HashSet<string>(StringComparer.Ordinal);
        int before;
        do
        {
            before = ending.Count;
            foreach (var (name, piece) in rules)
            {
                if (Ends(piece, ending))
                    ending.Add(name);
            }
        } while (ending.Count > before);
        return ending;
    }

    /// <summary>Whether a piece has a finite text, if only these rules have one.</summary>
    public static bool Ends(Piece piece, IReadOnlySet<string> ending) =>
        piece switch
        {
            Sequence sequence => sequence.Parts.All(part => Ends(part, ending)),
            Choice choice => choice.Ways.Any(way => Ends(way, ending)),
            Repetition { Least: 0 } => true,
            Repetition repetition => Ends(repetition.Repeated, ending),
            Use use => ending.Contains(use.Rule),
            _ => true,
        };
}
