using System.Text;
using CsCheck;

namespace EgpuFleet.Formats.Tests.Tokenizing;

public sealed class SpecialTokenTests
{
    private static readonly Gen<string> Names = Gen.OneOf("<", "a", " ", "é", ">").Array[2, 5].Select(string.Concat);

    private static readonly Gen<(string Text, int Kind)[]> Special = Gen.Select(
            Names,
            Gen.OneOf(SyntheticVocabulary.Control, SyntheticVocabulary.UserDefined)
        )
        .Array[0, 8]
        .Select(tokens => tokens.DistinctBy(token => token.Item1).ToArray());

    private static readonly Gen<string> Words = Gen.OneOf("<", "a", " ", "é", ">", "🦊")
        .Array[0, 40]
        .Select(string.Concat);

    [Fact]
    public void The_longest_token_comes_first_then_the_leftmost() =>
        Gen.Select(Special, Words, Gen.Bool)
            .Sample(
                (special, text, parse) =>
                {
                    var tokenizer = SyntheticVocabulary.BytePair("gpt-2", [], special);
                    var wanted = special
                        .Where(token => parse || token.Kind == SyntheticVocabulary.UserDefined)
                        .Select(token => token.Text);
                    var found = tokenizer
                        .Encode(text, parse)
                        .Where(id => id >= 256)
                        .Select(id => special[id - 256].Text);
                    Assert.Equal(FindOneByOne(text, wanted), found);
                },
                iter: 3_000
            );

    [Fact]
    public void Names_of_control_tokens_in_plain_text_are_letters()
    {
        var tokenizer = SyntheticVocabulary.BytePair("gpt-2", [], [("<|im_end|>", SyntheticVocabulary.Control)]);
        Assert.Equal(10, tokenizer.Encode("<|im_end|>", parseSpecial: false).Length);
        Assert.Equal([256], tokenizer.Encode("<|im_end|>", parseSpecial: true));
        Assert.Empty(tokenizer.Piece(256, beginsText: false));
        Assert.True(tokenizer.EndsText(256));
    }

    [Fact]
    public void Tokens_that_end_an_answer_are_known_by_name_and_become_control_tokens()
    {
        var tokenizer = SyntheticVocabulary.BytePair(
            "gpt-2",
            [],
            [
                ("<|eot_id|>", SyntheticVocabulary.Normal),
                ("<|fim_prefix|>", SyntheticVocabulary.UserDefined),
                ("<|fim_pad|>", SyntheticVocabulary.Control),
                ("<|start|>", SyntheticVocabulary.Control),
                ("<|x|>", SyntheticVocabulary.UserDefined),
            ]
        );
        Assert.Equal([11, 256, 258], tokenizer.EndOfGeneration.Order());
        Assert.Equal([256, 257], tokenizer.Encode("<|eot_id|><|fim_prefix|>", parseSpecial: true));
        Assert.Empty(tokenizer.Piece(257, beginsText: false));
        Assert.Equal("<|start|>"u8, tokenizer.Piece(259, beginsText: false));
        Assert.Equal([260], tokenizer.Encode("<|x|>", parseSpecial: false));
    }

    [Fact]
    public void An_end_within_an_answer_does_not_end_it()
    {
        string[] names = ["<|return|>", "<|call|>", "<|end|>"];
        var special = names.Select(name => (name, SyntheticVocabulary.Control)).ToArray();
        var tokenizer = SyntheticVocabulary.BytePair("gpt-2", [], special);
        Assert.Equal([11, 256, 257], tokenizer.EndOfGeneration.Order());
        Assert.Equal("<|end|>"u8, tokenizer.Piece(258, beginsText: false));
    }

    /// <summary>A million places at which many tokens fit, each a little longer than the other.</summary>
    [Fact]
    public void Nested_tokens_do_not_make_a_long_text_slow()
    {
        var special = Enumerable
            .Range(2, 200)
            .Select(length => (new string(' ', length), SyntheticVocabulary.UserDefined))
            .ToArray();
        var tokenizer = SyntheticVocabulary.BytePair("gpt-2", [], special);
        var tokens = tokenizer.Encode(new string(' ', 1_000_000) + "a", parseSpecial: false);
        Assert.Equal((1_000_000 / 201) + 2, tokens.Length);
    }

    private static List<string> FindOneByOne(string text, IEnumerable<string> names)
    {
        List<(int Start, int End, string? Name)> parts = [(0, text.Length, null)];
        foreach (
            var group in names.GroupBy(name => Encoding.UTF8.GetByteCount(name)).OrderByDescending(group => group.Key)
        )
        {
            for (var i = 0; i < parts.Count; i++)
            {
                var (start, end, taken) = parts[i];
                if (taken is not null)
                    continue;
                var found = group
                    .Select(name => (At: text.IndexOf(name, start, end - start, StringComparison.Ordinal), Name: name))
                    .Where(match => match.At >= 0)
                    .OrderBy(match => match.At)
                    .FirstOrDefault((At: -1, Name: ""));
                if (found.At < 0)
                    continue;
                var after = found.At + found.Name.Length;
                parts[i] = (start, found.At, null);
                parts.Insert(i + 1, (found.At, after, found.Name));
                parts.Insert(i + 2, (after, end, null));
                i++;
            }
        }
        return [.. parts.Select(part => part.Name).OfType<string>()];
    }
}
