using CsCheck;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Formats.Tests.Tokenizing;

public sealed class BytePairTests
{
    /// <summary>Merges of what is already there, so that long tokens arise, over letters that are frequent in the texts.</summary>
    private static readonly Gen<string[]> Merges = Gen.Int[0, 1 << 20]
        .Array[0, 60]
        .Select(choices =>
        {
            List<string> texts = ["a", "b", "s", "t", "e", "Ġ", "l", "1", "Ċ", "'"];
            var merges = new List<string>();
            foreach (var choice in choices)
            {
                var (left, right) = (texts[choice % texts.Count], texts[(choice >> 10) % texts.Count]);
                merges.Add($"{left} {right}");
                if (!texts.Contains(left + right))
                    texts.Add(left + right);
            }
            return merges.ToArray();
        });

    private static readonly Gen<string> Words = Gen.OneOf("a", "b", "s", "t", "e", " ", "l", "1", "\n", "'")
        .Array[0, 40]
        .Select(string.Concat);

    [Fact]
    public void The_best_pair_merges_first_and_the_leftmost_of_equals() =>
        Gen.Select(Merges, Words)
            .Sample(
                (merges, text) =>
                {
                    var tokenizer = SyntheticVocabulary.BytePair("gpt-2", merges);
                    var pieces = tokenizer.Encode(text, parseSpecial: false).Select(id => tokenizer.Letters(id));
                    Assert.Equal(MergeOneByOne(text, merges), pieces);
                },
                iter: 300
            );

    [Theory]
    [InlineData("gpt-2", new[] { "x", "y", "z" })]
    [InlineData("llama-bpe", new[] { "xyz" })]
    public void A_piece_that_no_merge_leads_to_is_a_token_where_the_model_says_so(
        string preTokenizer,
        string[] expected
    )
    {
        var tokenizer = SyntheticVocabulary.BytePair(
            preTokenizer,
            [],
            [("xyz", SyntheticVocabulary.Normal)],
            more: writer => writer.Add("tokenizer.ggml.add_bos_token", false)
        );
        Assert.Equal(expected, tokenizer.Encode("xyz", parseSpecial: false).Select(id => tokenizer.Letters(id)));
    }

    [Fact]
    public void A_million_equal_letters_merge_too()
    {
        var merges = Enumerable
            .Range(0, 8)
            .Select(power => $"{new string('a', 1 << power)} {new string('a', 1 << power)}");
        var tokenizer = SyntheticVocabulary.BytePair("gpt-2", [.. merges]);
        var tokens = tokenizer.Encode(new string('a', 1 << 20), parseSpecial: false);
        Assert.Equal(1 << 12, tokens.Length);
        Assert.Single(tokens.Distinct());
    }

    [Fact]
    public void What_a_vocabulary_lacks_is_left_out_as_llama_does()
    {
        var writer = new GgufWriter();
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", "gpt-2");
        writer.Add("tokenizer.ggml.tokens", ["a", "b"]);
        // Leads to a text that is no token: its letters take its place.
        writer.Add("tokenizer.ggml.merges", ["a b", "", "a", "a ", " a"]);
        var tokenizer = SyntheticVocabulary.Read(writer);
        Assert.Equal([0, 1, 1], tokenizer.Encode("abéb", parseSpecial: false));
        Assert.Empty(tokenizer.Encode("漢", parseSpecial: false));
    }

    [Fact]
    public void Bos_and_eos_are_added_as_the_file_says()
    {
        var tokenizer = SyntheticVocabulary.BytePair(
            "gpt-2",
            [],
            [("<s>", SyntheticVocabulary.Control)],
            writer =>
            {
                writer.Add("tokenizer.ggml.bos_token_id", 256u);
                writer.Add("tokenizer.ggml.eos_token_id", 256u);
                writer.Add("tokenizer.ggml.add_bos_token", true);
                writer.Add("tokenizer.ggml.add_eos_token", true);
            }
        );
        Assert.Equal((256, 257), (tokenizer.Bos, tokenizer.Size));
        Assert.Equal([256, 97, 256], tokenizer.Encode("a", parseSpecial: false));
        Assert.Equal([256, 256], tokenizer.Encode("", parseSpecial: false));
        Assert.Single(tokenizer.Encode("a", parseSpecial: false, addSpecial: false));
        Assert.True(tokenizer.EndsText(256));
        Assert.Equal([256], tokenizer.EndOfGeneration);
    }

    /// <summary>The text of a token as its bytes' letters.</summary>
    private static List<string> MergeOneByOne(string text, string[] merges)
    {
        var ranks = new Dictionary<(string, string), int>();
        for (var rank = 0; rank < merges.Length; rank++)
            _ = ranks.TryAdd((merges[rank].Split(' ')[0], merges[rank].Split(' ')[1]), rank);
        var result = new List<string>();
        var points = CodePoints.Of(text);
        var start = 0;
        foreach (var end in PreTokenizer.Named("gpt-2").Cut(points))
        {
            var parts = ByteAlphabet.Encode(text.AsSpan(start..end)).Select(letter => letter.ToString()).ToList();
            while (true)
            {
                var best = Enumerable
                    .Range(0, Math.Max(0, parts.Count - 1))
                    .Where(at => ranks.ContainsKey((parts[at], parts[at + 1])))
                    .OrderBy(at => ranks[(parts[at], parts[at + 1])])
                    .Select(at => (int?)at)
                    .FirstOrDefault();
                if (best is not { } left)
                    break;
                parts[left] += parts[left + 1];
                parts.RemoveAt(left + 1);
            }
            result.AddRange(parts);
            start = end;
        }
        return result;
    }
}
