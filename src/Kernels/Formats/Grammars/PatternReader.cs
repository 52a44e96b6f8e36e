using System.Globalization;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>
/// Reads regular expressions as JSON Schema has them (ECMA-262): alternatives, groups, classes, quantifiers, and anchors at the
/// ends. What looks around or back is refused: it is no regular language, or none that a grammar says shortly.
/// </summary>
internal sealed class PatternReader
{
    private static readonly CharacterSet Digits = CharacterSet.Of(('0', '9'));
    private static readonly CharacterSet Word = CharacterSet.Of(('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z'));
    private static readonly CharacterSet LineEnds = CharacterSet.Of(('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029));
    private static readonly CharacterSet White = CharacterSet.Of(
        ('\t', '\r'),
        (' ', ' '),
        (0xA0, 0xA0),
        (0x1680, 0x1680),
        (0x2000, 0x200A),
        (0x2028, 0x2029),
        (0x202F, 0x202F),
        (0x205F, 0x205F),
        (0x3000, 0x3000),
        (0xFEFF, 0xFEFF)
    );

    private readonly string pattern;
    private readonly string path;
    private int at;
    private int depth;

    private PatternReader(string pattern, string path) => (this.pattern, this.path) = (pattern, path);

    /// <summary>The texts that contain a match.</summary>
    /// <exception cref="SchemaException">It is none, or uses what is not done here.</exception>
    public static StringPattern Read(string pattern, string path)
    {
        if (pattern.Length > Limits.SchemaPatternChars)
            throw new SchemaException(
                SchemaFault.Limit,
                path,
                $"a pattern has at most {Limits.SchemaPatternChars:N0} characters"
            );
        var reader = new PatternReader(pattern, path);
        var ways = new List<StringPattern>();
        do ways.Add(reader.ReadAnchored());
        while (reader.Take('|'));
        if (!reader.IsAtEnd)
            throw reader.Invalid("a ')' closes nothing");
        return ways.Count == 1 ? ways[0] : new PatternChoice(ways);
    }

    private bool IsAtEnd => at == pattern.Length;

    private char Next => pattern[at];

    /// <summary>One alternative of the whole: an anchor is allowed at either end of it; without, anything may stand there.</summary>
    private PatternSequence ReadAnchored()
    {
        var anything = new PatternRepetition(new PatternCharacter(CharacterSet.All), 0, null);
        var parts = new List<StringPattern>();
        if (!Take('^'))
            parts.Add(anything);
        parts.AddRange(ReadParts());
        if (!Take('$'))
            parts.Add(anything);
        else if (!IsAtEnd && Next is not '|')
            throw Unsupported("'$' within a pattern");
        return new PatternSequence(parts);
    }

    private StringPattern ReadChoice()
    {
        if (++depth > Limits.SchemaDepth)
            throw new SchemaException(
                SchemaFault.Limit,
                path,
                $"a pattern has at most {Limits.SchemaDepth} groups in one another"
            );
        var ways = new List<StringPattern>();
        do ways.Add(new PatternSequence(ReadParts()));
        while (Take('|'));
        depth--;
        return ways.Count == 1 ? ways[0] : new PatternChoice(ways);
    }

    private List<StringPattern> ReadParts()
    {
        var parts = new List<StringPattern>();
        while (!IsAtEnd && Next is not ('|' or ')' or '$'))
            parts.Add(ReadQuantified(ReadAtom()));
        return parts;
    }

    private StringPattern ReadAtom()
    {
        switch (Next)
        {
            case '(':
                return ReadGroup();
            case '[':
                return new PatternCharacter(ReadClass());
            case '.':
                at++;
                return new PatternCharacter(CharacterSet.All.Without(LineEnds));
            case '\\':
                at++;
                return new PatternCharacter(ReadEscape(inClass: false));
            case '^':
                throw Unsupported("'^' within a pattern");
            case '*' or '+' or '?':
                throw Invalid($"'{Next}' has nothing to repeat");
            default:
                return new PatternCharacter(CharacterSet.Single(TakeCodePoint()));
        }
    }

    private StringPattern ReadGroup()
    {
        at++;
        if (Take('?'))
        {
            if (Take('<') && !IsAtEnd && Next is not ('=' or '!'))
            {
                var end = pattern.IndexOf('>', at);
                at = end < 0 ? throw Invalid("a group's name has no end") : end + 1;
            }
            else if (!Take(':'))
                throw Unsupported("a group that looks ahead or behind");
        }
        var inner = ReadChoice();
        if (!IsAtEnd && Next == '$')
            throw Unsupported("'$' within a group");
        return Take(')') ? inner : throw Invalid("a '(' is not closed");
    }

    private StringPattern ReadQuantified(StringPattern atom)
    {
        if (IsAtEnd)
            return atom;
        var (least, most) = Next switch
        {
            '*' => (0, (int?)null),
            '+' => (1, null),
            '?' => (0, 1),
            '{' when ReadBounds() is { } bounds => bounds,
            _ => (-1, null),
        };
        if (least < 0)
            return atom;
        at++;
        // Lazy or not: the same texts match.
        Take('?');
        if (!IsAtEnd && Next is '*' or '+' or '?')
            throw Invalid("a quantifier follows another");
        if (most is null && atom.Least == 0)
            throw Unsupported("repeating without end what may be empty");
        return new PatternRepetition(atom, least, most);
    }

    /// <summary>Leaves the place at the closing brace; null where the brace is only a character.</summary>
    private (int Least, int? Most)? ReadBounds()
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0)
            return null;
        var parts = pattern[(at + 1)..end].Split(',');
        if (parts.Length > 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var least))
            return null;
        int? most = least;
        if (parts is [_, ""])
            most = null;
        else if (parts.Length == 2)
        {
            if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var given))
                return null;
            most = given;
        }
        if (most < least)
            throw Invalid("the bounds of a quantifier are the wrong way round");
        if (Math.Max(least, most ?? 0) > Limits.SchemaRepetitions)
            throw new SchemaException(
                SchemaFault.Limit,
                path,
                $"at most {Limits.SchemaRepetitions:N0} repetitions are counted"
            );
        at = end;
        return (least, most);
    }

    private CharacterSet ReadClass()
    {
        at++;
        var isNegated = Take('^');
        var set = CharacterSet.Empty;
        while (true)
        {
            if (IsAtEnd)
                throw Invalid("a '[' is not closed");
            if (Take(']'))
                break;
            var first = ReadClassMember();
            if (at + 1 < pattern.Length && Next == '-' && pattern[at + 1] != ']')
            {
                at++;
                var last = ReadClassMember();
                // Beside a class such as \w it is no range: the dash means itself.
                if (!IsSingle(first) || !IsSingle(last))
                    first = first.With(last).With(CharacterSet.Single('-'));
                else if (last.Ranges[0].First < first.Ranges[0].First)
                    throw Invalid("a range in brackets is the wrong way round");
                else
                    first = CharacterSet.Of((first.Ranges[0].First, last.Ranges[0].First));
            }
            set = set.With(first);
        }
        return isNegated ? CharacterSet.All.Without(set) : set;

        static bool IsSingle(CharacterSet members) => members.Ranges is [var only] && only.First == only.Last;
    }

    private CharacterSet ReadClassMember() =>
        Take('\\') ? ReadEscape(inClass: true) : CharacterSet.Single(TakeCodePoint());

    private CharacterSet ReadEscape(bool inClass)
    {
        if (IsAtEnd)
            throw Invalid("'\\' is followed by nothing");
        var letter = pattern[at++];
        return letter switch
        {
            'd' => Digits,
            'D' => CharacterSet.All.Without(Digits),
            'w' => Word,
            'W' => CharacterSet.All.Without(Word),
            's' => White,
            'S' => CharacterSet.All.Without(White),
            't' => CharacterSet.Single('\t'),
            'n' => CharacterSet.Single('\n'),
            'r' => CharacterSet.Single('\r'),
            'f' => CharacterSet.Single('\f'),
            'v' => CharacterSet.Single('\v'),
            '0' => CharacterSet.Single(0),
            'b' when inClass => CharacterSet.Single('\b'),
            'x' => CharacterSet.Single(ReadHexadecimal(2)),
            'u' when Take('{') => ReadBraced(),
            'u' => CharacterSet.Single(ReadHexadecimal(4)),
            _ when char.IsAsciiLetterOrDigit(letter) => throw Unsupported($"'\\{letter}' in a pattern"),
            _ => CharacterSet.Single(letter),
        };
    }

    private CharacterSet ReadBraced()
    {
        var end = pattern.IndexOf('}', at);
        if (end < 0 || end - at is 0 or > 6)
            throw Invalid("'\\u{' is not closed");
        var code = ReadHexadecimal(end - at);
        at++;
        return CharacterSet.Single(code);
    }

    private int ReadHexadecimal(int digits)
    {
        if (
            at + digits > pattern.Length
            || !int.TryParse(
                pattern.AsSpan(at, digits),
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var code
            )
        )
            throw Invalid("an escape has no hexadecimal digits");
        at += digits;
        return CharacterSet.All.Contains(code) ? code : throw Unsupported("half of a surrogate pair in a pattern");
    }

    private int TakeCodePoint()
    {
        if (!System.Text.Rune.TryGetRuneAt(pattern, at, out var rune))
            throw Invalid("it is not Unicode text");
        at += rune.Utf16SequenceLength;
        return rune.Value;
    }

    private bool Take(char character)
    {
        if (IsAtEnd || Next != character)
            return false;
        at++;
        return true;
    }

    private SchemaException Invalid(string why) =>
        new(SchemaFault.Invalid, path, $"the pattern cannot be read: {why}, at character {at}");

    private SchemaException Unsupported(string what) =>
        new(SchemaFault.Unsupported, path, $"{what} is not done here (at character {at})");
}
