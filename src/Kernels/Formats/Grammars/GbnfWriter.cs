using System.Globalization;
using System.Text;

namespace EgpuFleet.Kernels.Formats.Grammars;

/// <summary>
/// Writes pieces in GBNF: <c>"text"</c>, <c>[set]</c>, <c>( a | b )</c>, <c>x{m,n}</c>, and the name of a rule. Long
/// repetitions are cut into blocks, since an engine unrolls each to as many rules.
/// </summary>
/// <param name="ending">Rules that have a finite text; others are left out where there is a way around them.</param>
internal sealed class GbnfWriter(IReadOnlySet<string> ending)
{
    /// <summary>Longest repetition that is written as one.</summary>
    private const int Block = 128;

    /// <exception cref="SchemaException">It becomes too long. Checked on the way: what is repeated in blocks is written more than once.</exception>
    public void Write(StringBuilder text, Piece piece)
    {
        if (text.Length > Limits.GrammarChars)
            throw new SchemaException(
                SchemaFault.Limit,
                "#",
                $"the schema makes a grammar of more than {Limits.GrammarChars:N0} characters"
            );
        switch (piece)
        {
            case Literal literal:
                WriteLiteral(text, literal.Value);
                break;
            case Character character:
                WriteSet(text, character.Set);
                break;
            case Sequence sequence:
                WriteEach(text, sequence.Parts, " ");
                break;
            case Choice choice:
                text.Append("( ");
                WriteEach(text, choice.Ways.Where(way => GrammarRules.Ends(way, ending)), " | ");
                text.Append(" )");
                break;
            case Repetition repetition when !GrammarRules.Ends(repetition.Repeated, ending):
                text.Append("\"\"");
                break;
            case Repetition repetition:
                WriteRepetition(text, repetition);
                break;
            case Use use:
                text.Append(use.Rule);
                break;
        }
    }

    private void WriteEach(StringBuilder text, IEnumerable<Piece> pieces, string between)
    {
        var first = true;
        foreach (var piece in pieces)
        {
            if (!first)
                text.Append(between);
            first = false;
            Write(text, piece);
        }
    }

    private void WriteRepetition(StringBuilder text, Repetition repetition)
    {
        var (least, most) = (repetition.Least, repetition.Most);
        if (Math.Max(least, most ?? 0) <= Block)
        {
            WriteTimes(text, repetition.Repeated, least, most);
            return;
        }
        text.Append("( ");
        WriteExactly(text, repetition.Repeated, least);
        text.Append(' ');
        if (most is { } end)
            WriteAtMost(text, repetition.Repeated, end - least);
        else
            WriteTimes(text, repetition.Repeated, 0, null);
        text.Append(" )");
    }

    private void WriteExactly(StringBuilder text, Piece piece, int times)
    {
        if (times / Block > 0)
        {
            text.Append("( ");
            WriteTimes(text, piece, Block, Block);
            text.Append(CultureInfo.InvariantCulture, $" ){{{times / Block}}} ");
        }
        WriteTimes(text, piece, times % Block, times % Block);
    }

    /// <summary>Whole blocks, then fewer than a block: each number of times in one way only, so that engines need not guess.</summary>
    private void WriteAtMost(StringBuilder text, Piece piece, int times)
    {
        var blocks = times / Block;
        if (blocks == 0)
        {
            WriteTimes(text, piece, 0, times);
            return;
        }
        text.Append("( ( ");
        WriteTimes(text, piece, Block, Block);
        text.Append(CultureInfo.InvariantCulture, $" ){{0,{blocks - 1}}} ");
        WriteTimes(text, piece, 0, Block - 1);
        text.Append(" | ( ");
        WriteTimes(text, piece, Block, Block);
        text.Append(CultureInfo.InvariantCulture, $" ){{{blocks}}} ");
        WriteTimes(text, piece, 0, times % Block);
        text.Append(" )");
    }

    private void WriteTimes(StringBuilder text, Piece piece, int least, int? most)
    {
        if (most == 0)
        {
            text.Append("\"\"");
            return;
        }
        text.Append("( ");
        Write(text, piece);
        text.Append(" )");
        text.Append(
            (least, most) switch
            {
                (0, null) => "*",
                (1, null) => "+",
                (0, 1) => "?",
                (_, null) => string.Create(CultureInfo.InvariantCulture, $"{{{least},}}"),
                _ when least == most => string.Create(CultureInfo.InvariantCulture, $"{{{least}}}"),
                _ => string.Create(CultureInfo.InvariantCulture, $"{{{least},{most}}}"),
            }
        );
    }

    private static void WriteLiteral(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var rune in value.EnumerateRunes())
            WriteCharacter(text, rune.Value);
        text.Append('"');
    }

    private static void WriteSet(StringBuilder text, CharacterSet set)
    {
        text.Append('[');
        foreach (var (first, last) in set.Ranges)
        {
            WriteCharacter(text, first);
            if (last == first)
                continue;
            text.Append('-');
            WriteCharacter(text, last);
        }
        text.Append(']');
    }

    private static void WriteCharacter(StringBuilder text, int codePoint) =>
        text.Append(
            codePoint switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\\' or '"' or '[' or ']' => $"\\{(char)codePoint}",
                '-' or '^' => string.Create(CultureInfo.InvariantCulture, $"\\x{codePoint:X2}"),
                < 0x20 or 0x7F => string.Create(CultureInfo.InvariantCulture, $"\\x{codePoint:X2}"),
                < 0x7F => ((char)codePoint).ToString(),
                <= 0xFFFF => string.Create(CultureInfo.InvariantCulture, $"\\u{codePoint:X4}"),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\U{codePoint:X8}"),
            }
        );
}
