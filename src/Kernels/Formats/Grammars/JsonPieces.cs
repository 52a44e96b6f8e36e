using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>What JSON texts consist of, each a rule of one grammar.</summary>
internal sealed class JsonPieces
{
    private static readonly CharacterSet Hexadecimal = CharacterSet.Of(('0', '9'), ('a', 'f'), ('A', 'F'));

    /// <summary>What stands in a string as itself.</summary>
    public static readonly CharacterSet Itself = CharacterSet.All.Without(
        CharacterSet.Of((0, 0x1F), ('"', '"'), ('\\', '\\'), (0x7F, 0x7F))
    );

    private readonly GrammarRules rules;
    private Piece? value;

    public JsonPieces(GrammarRules rules)
    {
        this.rules = rules;
        // A little freedom, since models write as they have learnt; not so much that one could go on with it for ever.
        Space = rules.Add(
            "space",
            Piece.Any(
                Piece.Nothing,
                Piece.Text(" "),
                Piece.All(Piece.Text("\n"), Piece.Times(Piece.Of(CharacterSet.Of((' ', ' '), ('\t', '\t'))), 0, 20))
            )
        );
        Character = rules.Add("char", Piece.Any(Piece.Of(Itself), Escapes()));
        Key = rules.Add("key", Quoted(Piece.Times(Piece.Of(Itself), 0, null)));
    }

    /// <summary>Between two tokens.</summary>
    public Piece Space { get; }

    /// <summary>One code point of a string, as itself or escaped.</summary>
    public Piece Character { get; }

    /// <summary>A name without escapes, so that no two of them spell one name.</summary>
    public Piece Key { get; }

    /// <summary>Any value.</summary>
    public Piece Value => value ??= DefineValue();

    public static Piece Quoted(Piece content) => Piece.All(Piece.Text("\""), content, Piece.Text("\""));

    /// <summary>Just this value, without spaces.</summary>
    public static Piece Of(JsonNode? node) => Piece.Text(Written(node));

    /// <summary>The text inside a string that stands for characters of a set.</summary>
    public static Piece Inside(CharacterSet set)
    {
        var plain = set.Without(CharacterSet.All.Without(Itself));
        List<Piece> ways = [Piece.Of(plain)];
        foreach (
            var (character, escaped) in new[]
            {
                ('"', "\\\""),
                ('\\', "\\\\"),
                ('\n', "\\n"),
                ('\r', "\\r"),
                ('\t', "\\t"),
            }
        )
        {
            if (set.Contains(character))
                ways.Add(Piece.Text(escaped));
        }
        // Other controls only where nothing else is meant: nobody who writes "." waits for a bell.
        if (plain.IsEmpty && ways.TrueForAll(way => way == Piece.Never))
            ways.AddRange(set.Ranges.SelectMany(Controls));
        return Piece.Any(ways);

        static IEnumerable<Piece> Controls((int First, int Last) range) =>
            Enumerable
                .Range(range.First, range.Last - range.First + 1)
                .Select(code => Piece.Text(string.Create(CultureInfo.InvariantCulture, $"\\u{code:x4}")));
    }

    /// <summary>Items with commas between them, in brackets.</summary>
    public Piece Listed(Piece item, int least, int? most)
    {
        var more = Piece.All(Comma(), item);
        var items =
            most == 0 || (item == Piece.Never && least == 0) ? Piece.Nothing
            : least > 0 ? Piece.All(item, Piece.Times(more, least - 1, most - 1))
            : Piece.Optional(Piece.All(item, Piece.Times(more, 0, most - 1)));
        return Bracketed("[", items, "]");
    }

    public Piece Bracketed(string open, Piece content, string close) =>
        Piece.All(Piece.Text(open), Space, content, Space, Piece.Text(close));

    public Piece Comma() => Piece.All(Space, Piece.Text(","), Space);

    public Piece Pair(Piece key, Piece paired) => Piece.All(key, Space, Piece.Text(":"), Space, paired);

    /// <summary>As models write it: the serialiser would escape what lies beyond the first plane.</summary>
    private static string Written(JsonNode? node) =>
        node switch
        {
            JsonObject pairs =>
                $"{{{string.Join(',', pairs.Select(pair => $"{Quote(pair.Key)}:{Written(pair.Value)}"))}}}",
            JsonArray items => $"[{string.Join(',', items.Select(Written))}]",
            JsonValue text when text.TryGetValue(out string? value) => Quote(value),
            _ => node?.ToJsonString() ?? "null",
        };

    private static string Quote(string text) =>
        $"\"{string.Concat(text.EnumerateRunes().Select(rune => Itself.Contains(rune.Value) ? rune.ToString() : Escaped(rune.ToString())))}\"";

    private static string Escaped(string character) =>
        JsonEncodedText.Encode(character, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();

    private static Piece Escapes()
    {
        var digit = Piece.Of(Hexadecimal);
        Piece Hex(params string[] sets) =>
            Piece.All([
                Piece.Text("\\u"),
                .. sets.Select(set => Piece.Of(CharacterSet.Of(set.Select(c => ((int)c, (int)c))))),
                .. Enumerable.Repeat(digit, 4 - sets.Length),
            ]);
        return Piece.Any(
            Piece.All(Piece.Text("\\"), Piece.Of(CharacterSet.Of("\"\\/bfnrt".Select(c => ((int)c, (int)c))))),
            Hex("0123456789abcefABCEF"),
            Hex("dD", "01234567"),
            Piece.All(Hex("dD", "89abAB"), Hex("dD", "cdefCDEF"))
        );
    }

    private Use DefineValue()
    {
        var name = rules.Reserve("value");
        var any = new Use(name);
        var pairs = Pair(Key, any);
        rules.Define(
            name,
            Piece.Any(
                rules.Add(
                    "object",
                    Bracketed(
                        "{",
                        Piece.Optional(Piece.All(pairs, Piece.Times(Piece.All(Comma(), pairs), 0, null))),
                        "}"
                    )
                ),
                rules.Add("array", Listed(any, 0, null)),
                rules.Add("string", Quoted(Piece.Times(Character, 0, null))),
                rules.Add("number", NumberPieces.Number),
                Piece.Text("true"),
                Piece.Text("false"),
                Piece.Text("null")
            )
        );
        return any;
    }
}
