using System.Globalization;

namespace EgpuFleet.Formats.Tests.Grammars;

/// <summary>Reads GBNF as llama.cpp documents it: rules of literals, sets, groups, alternatives and repetitions, one a line.</summary>
internal sealed class GbnfReader
{
    private readonly string text;
    private int at;

    private GbnfReader(string text) => this.text = text;

    public static IReadOnlyDictionary<string, GbnfNode> Read(string text)
    {
        var reader = new GbnfReader(text);
        var rules = new Dictionary<string, GbnfNode>(StringComparer.Ordinal);
        while (reader.at < text.Length)
        {
            var name = reader.ReadName();
            reader.Expect(" ::= ");
            rules.Add(name, reader.ReadChoice());
            reader.Expect("\n");
        }
        return rules;
    }

    private char Next => at < text.Length ? text[at] : '\n';

    private GbnfNode ReadChoice()
    {
        List<GbnfNode> ways = [ReadSequence()];
        while (Take('|'))
            ways.Add(ReadSequence());
        return ways.Count == 1 ? ways[0] : new GbnfChoice(ways);
    }

    private GbnfSequence ReadSequence()
    {
        List<GbnfNode> parts = [];
        while (true)
        {
            while (Take(' ')) { }
            if (Next is '|' or ')' or '\n')
                return new GbnfSequence(parts);
            parts.Add(ReadRepeated(ReadOne()));
        }
    }

    private GbnfNode ReadOne()
    {
        if (Take('"'))
        {
            List<int> codePoints = [];
            while (!Take('"'))
                codePoints.Add(ReadCharacter());
            return new GbnfText([.. codePoints]);
        }
        if (Take('['))
            return ReadSet();
        if (!Take('('))
            return new GbnfRule(ReadName());
        var inner = ReadChoice();
        Expect(")");
        return inner;
    }

    private GbnfSet ReadSet()
    {
        Assert.NotEqual('^', Next);
        List<(int, int)> ranges = [];
        while (!Take(']'))
        {
            var first = ReadCharacter();
            ranges.Add((first, Take('-') ? ReadCharacter() : first));
        }
        return new GbnfSet(ranges);
    }

    private GbnfNode ReadRepeated(GbnfNode node)
    {
        if (Take('*'))
            return new GbnfTimes(node, 0, null);
        if (Take('+'))
            return new GbnfTimes(node, 1, null);
        if (Take('?'))
            return new GbnfTimes(node, 0, 1);
        if (!Take('{'))
            return node;
        var end = text.IndexOf('}', at);
        var bounds = text[at..end].Split(',');
        at = end + 1;
        var least = int.Parse(bounds[0], CultureInfo.InvariantCulture);
        return new GbnfTimes(
            node,
            least,
            bounds switch
            {
                [_] => least,
                [_, ""] => null,
                _ => int.Parse(bounds[1], CultureInfo.InvariantCulture),
            }
        );
    }

    private int ReadCharacter()
    {
        if (!Take('\\'))
        {
            // The writer escapes whatever is not plain ASCII, so that no encoding can come between.
            Assert.InRange(Next, ' ', '~');
            return text[at++];
        }
        var kind = text[at++];
        return kind switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'x' => ReadHexadecimal(2),
            'u' => ReadHexadecimal(4),
            'U' => ReadHexadecimal(8),
            '\\' or '"' or '[' or ']' => kind,
            _ => throw new FormatException($"\\{kind} at {at}"),
        };
    }

    private int ReadHexadecimal(int digits)
    {
        at += digits;
        return int.Parse(
            text.AsSpan(at - digits, digits),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture
        );
    }

    private string ReadName()
    {
        var from = at;
        while (char.IsAsciiLetterOrDigit(Next) || Next == '-')
            at++;
        return at > from
            ? text[from..at]
            : throw new FormatException($"no name at {at}: {text[at..Math.Min(at + 40, text.Length)]}");
    }

    private bool Take(char character)
    {
        if (Next != character)
            return false;
        at++;
        return true;
    }

    private void Expect(string wanted)
    {
        if (string.CompareOrdinal(text, at, wanted, 0, wanted.Length) != 0)
            throw new FormatException($"no '{wanted}' at {at}");
        at += wanted.Length;
    }
}
