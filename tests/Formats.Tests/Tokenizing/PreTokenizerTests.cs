using System.Text.RegularExpressions;
using CsCheck;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>The hand-written cuts against the expressions that the models' authors published, run by .NET.</summary>
public sealed class PreTokenizerTests
{
    private const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private const string Contractions = "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]";
    private const string Space = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string Upper = @"(?:(?=\p{L})[^a-z])";
    private const string Lower = @"(?:(?=\p{L})[^A-Z])";
    private const string Word = $@"[^\r\n\p{{L}}\p{{N}}]?{Upper}*{Lower}+";
    private const string Capitals = $@"[^\r\n\p{{L}}\p{{N}}]?{Upper}+{Lower}*";

    private static readonly Dictionary<string, string[]> Expressions = new(StringComparer.Ordinal)
    {
        ["default"] = [@"[\p{P}$+<=>^~|]+", Gpt2, @"\p{N}+", "[0-9][0-9][0-9]"],
        ["gpt-2"] = [Gpt2],
        ["starcoder"] = [@"\p{N}", Gpt2],
        ["falcon"] = [@"[\p{P}$+<=>^~|`]+", Gpt2, "[0-9][0-9][0-9]"],
        ["llama-bpe"] = [Gpt4(@"\p{L}", @"\p{L}", @"\p{N}{1,3}")],
        ["qwen2"] = [Gpt4(@"\p{L}", @"\p{L}", @"\p{N}")],
        ["qwen35"] = [Gpt4(@"[\p{L}\p{M}]", @"\p{L}\p{M}", @"\p{N}")],
        ["tekken"] = [$@"{Word}|{Capitals}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Space}"],
        ["gpt-4o"] =
        [
            $@"{Word}(?:{Contractions})?|{Capitals}(?:{Contractions})?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{Space}",
        ],
        ["deepseek-coder"] = [@"[\r\n]", @"\s?\p{L}+", @"\s?\p{P}+", "[一-龥ࠀ-一가-\uD7FF-[\\s]]+", @"\p{N}"],
    };

    public static TheoryData<string> Compared => new(Expressions.Keys);

    public static TheoryData<string> All => new(PreTokenizer.Names);

    [Theory]
    [MemberData(nameof(Compared))]
    public void Text_is_cut_as_the_published_expression_cuts_it(string name)
    {
        var expressions = Array.ConvertAll(Expressions[name], MakeRegex);
        Texts.BasicPlane.Sample(text => Assert.Equal(Cut(text, expressions), Cut(name, text)), iter: 1_000);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Pieces_are_the_text(string name) =>
        Texts.Valid.Sample(text => string.Concat(Cut(name, text)) == text, iter: 300);

    [Theory]
    [InlineData("llama-bpe", "𐐀𐐨x 𝟘𝟘𝟘𝟘", "𐐀𐐨x| |𝟘𝟘𝟘|𝟘")]
    [InlineData("gpt-2", "🦊🦊 𠀀a", "🦊🦊| 𠀀a")]
    [InlineData("deepseek-llm", "Hello 你好 world, 12! ", "Hello| |你好| world|,| |12|!| ")]
    [InlineData("deepseek-llm", "a\n\n  𐐀。é", "a|\n|\n| | 𐐀|。|é")]
    [InlineData("tekken", "HelloWorld eGPU 12", "Hello|World| e|GPU| |1|2")]
    [InlineData("tekken", "éAAA", "é|AAA")]
    public void Letters_beyond_the_basic_plane_are_letters(string name, string text, string pieces) =>
        Assert.Equal(pieces.Split('|'), Cut(name, text));

    [Fact]
    public void An_unknown_name_is_refused_by_name()
    {
        var refusal = Assert.Throws<GgufException>(() => PreTokenizer.Named("gpt-9"));
        Assert.Equal(GgufFault.Tokenizer, refusal.Code);
        Assert.Contains("gpt-9", refusal.Message, StringComparison.Ordinal);
        Assert.True(
            Assert.Throws<GgufException>(() => PreTokenizer.Named(new string('x', 1 << 20))).Message.Length < 200
        );
    }

    private static string Gpt4(string letter, string letters, string digits) =>
        $@"{Contractions}|[^\r\n\p{{L}}\p{{N}}]?{letter}+|{digits}| ?[^\s{letters}\p{{N}}]+[\r\n]*|{Space}";

    private static Regex MakeRegex(string expression) =>
        new(expression, RegexOptions.CultureInvariant, TimeSpan.FromSeconds(10));

    private static List<string> Cut(string name, string text)
    {
        var pieces = new List<string>();
        var points = CodePoints.Of(text);
        var (start, charStart) = (0, 0);
        foreach (var end in PreTokenizer.Named(name).Cut(points))
        {
            var chars = points.CharsBetween(start, end);
            pieces.Add(text.Substring(charStart, chars));
            (start, charStart) = (end, charStart + chars);
        }
        return pieces;
    }

    private static List<string> Cut(string text, Regex[] expressions)
    {
        List<string> pieces = text.Length == 0 ? [] : [text];
        foreach (var expression in expressions)
            pieces = [.. pieces.SelectMany(piece => MatchesAndBetween(piece, expression))];
        return pieces;
    }

    private static IEnumerable<string> MatchesAndBetween(string piece, Regex expression)
    {
        var start = 0;
        foreach (Match match in expression.Matches(piece))
        {
            if (match.Index > start)
                yield return piece[start..match.Index];
            yield return match.Value;
            start = match.Index + match.Length;
        }
        if (start < piece.Length)
            yield return piece[start..];
    }
}
