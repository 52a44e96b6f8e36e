using CsCheck;
using EgpuFleet.Kernels.Formats;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>Vocabularies that lie, and texts that are none: a typed fault or an answer, never anything else.</summary>
public sealed class HostileVocabularyTests
{
    private static readonly Dictionary<string, (string Code, Action<GgufWriter> Describe)> Files = new(
        StringComparer.Ordinal
    )
    {
        ["no kind"] = (GgufFault.Tokenizer, _ => { }),
        ["unknown kind"] = (GgufFault.Tokenizer, writer => writer.Add("tokenizer.ggml.model", "bert")),
        ["kind is a number"] = (GgufFault.ValueType, writer => writer.Add("tokenizer.ggml.model", 1u)),
        ["no tokens"] = (GgufFault.Tokenizer, writer => writer.Add("tokenizer.ggml.model", "llama")),
        ["empty vocabulary"] = (GgufFault.Limit, writer => Llama(writer, [])),
        ["a token twice"] = (GgufFault.Tokenizer, writer => Llama(writer, ["a", "b", "a"])),
        ["too long a token"] = (GgufFault.Limit, writer => Llama(writer, [new string('a', Limits.TokenChars + 1)])),
        ["tokens are numbers"] = (GgufFault.ValueType, writer => Numbers(writer, "tokenizer.ggml.tokens")),
        ["unknown pre-tokenizer"] = (GgufFault.Tokenizer, writer => Gpt2(writer, "gpt-9", ["a b"])),
        ["no merges"] = (GgufFault.Tokenizer, writer => Gpt2(writer, "gpt-2", null)),
        ["too long a merge"] = (
            GgufFault.Limit,
            writer => Gpt2(writer, "gpt-2", [new string('a', Limits.TokenChars) + " b"])
        ),
        ["fewer kinds than tokens"] = (
            GgufFault.Tokenizer,
            writer =>
            {
                Llama(writer, ["a", "b"]);
                writer.Add("tokenizer.ggml.token_type", [1]);
            }
        ),
        ["fewer scores than tokens"] = (
            GgufFault.Tokenizer,
            writer =>
            {
                Llama(writer, ["a", "b"]);
                writer.Add("tokenizer.ggml.scores", new[] { 1f });
            }
        ),
        ["scores are texts"] = (
            GgufFault.ValueType,
            writer =>
            {
                Llama(writer, ["a"]);
                writer.Add("tokenizer.ggml.scores", ["1"]);
            }
        ),
        ["BOS is added but is no token"] = (GgufFault.Tokenizer, writer => Llama(writer, ["a"])),
        ["EOS is added but is no token"] = (
            GgufFault.Tokenizer,
            writer =>
            {
                Llama(writer, ["a", "b"]);
                writer.Add("tokenizer.ggml.add_eos_token", true);
            }
        ),
        ["too long a control token"] = (
            GgufFault.Limit,
            writer =>
            {
                Llama(writer, ["a", "b", new string('a', Limits.SpecialTokenChars + 1)]);
                writer.Add("tokenizer.ggml.token_type", [1, 1, SyntheticVocabulary.Control]);
            }
        ),
    };

    public static TheoryData<string> Lies => new(Files.Keys);

    [Theory]
    [MemberData(nameof(Lies))]
    public void A_vocabulary_that_contradicts_itself_is_refused(string lie)
    {
        var writer = new GgufWriter();
        Files[lie].Describe(writer);
        var refusal = Assert.Throws<GgufException>(() => SyntheticVocabulary.Read(writer));
        Assert.Equal(Files[lie].Code, refusal.Code);
    }

    [Fact]
    public void Ids_of_roles_beyond_the_vocabulary_are_not_believed()
    {
        var tokenizer = SyntheticVocabulary.BytePair(
            "gpt-2",
            [],
            more: writer =>
            {
                writer.Add("tokenizer.ggml.bos_token_id", uint.MaxValue);
                writer.Add("tokenizer.ggml.eos_token_id", 300u);
                writer.Add("tokenizer.ggml.eot_token_id", "x");
            }
        );
        Assert.Equal(11, tokenizer.Bos);
        Assert.Equal([11], tokenizer.EndOfGeneration);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Piece(-1, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Piece(256, false));
        Assert.False(tokenizer.EndsText(-1));
    }

    [Fact]
    public void Scores_that_are_no_numbers_still_give_an_order()
    {
        (string, float)[] pieces =
        [
            ("▁", 0f),
            ("ab", float.NaN),
            ("bc", float.PositiveInfinity),
            ("ca", float.NegativeInfinity),
        ];
        var tokenizer = SyntheticVocabulary.SentencePiece(pieces);
        Assert.Equal(" abcabcab", tokenizer.Decode(tokenizer.Encode("abcabcab", parseSpecial: false)));
    }

    /// <summary>Arrays of random items under the right keys: read, or refused by a type of ours.</summary>
    [Fact]
    public void Any_vocabulary_is_read_or_refused() =>
        Gen.Select(
                Gen.OneOf("gpt2", "llama"),
                Gen.OneOf("default", "llama-bpe", "tekken", "glm4", ""),
                Texts.Valid.Array[1, 20],
                Texts.Valid.Array[0, 20],
                Gen.Int[-1, 8].Array[0, 24],
                Gen.Float.Array[0, 24],
                Texts.Any
            )
            .Sample(
                (kind, pre, tokens, merges, kinds, scores, text) =>
                {
                    var writer = new GgufWriter();
                    writer.Add("tokenizer.ggml.model", kind);
                    writer.Add("tokenizer.ggml.pre", pre);
                    writer.Add("tokenizer.ggml.tokens", tokens);
                    writer.Add("tokenizer.ggml.merges", merges);
                    writer.Add("tokenizer.ggml.token_type", kinds);
                    writer.Add("tokenizer.ggml.scores", scores);
                    try
                    {
                        var tokenizer = SyntheticVocabulary.Read(writer);
                        foreach (var token in tokenizer.Encode(text, parseSpecial: true))
                            _ = tokenizer.Piece(token, beginsText: false);
                    }
                    catch (GgufException)
                    {
                        // A refusal is a right answer.
                    }
                },
                iter: 1_000
            );

    [Fact]
    public void Half_a_surrogate_pair_counts_as_the_replacement_character()
    {
        var tokenizer = SyntheticVocabulary.BytePair("llama-bpe", [], more: NoBos);
        Texts.Any.Sample(
            text => tokenizer.Decode(tokenizer.Encode(text, parseSpecial: true)) == Valid(text),
            iter: 1_000
        );
    }

    [Fact]
    public void A_text_without_bound_is_refused()
    {
        var tokenizer = SyntheticVocabulary.BytePair("gpt-2", []);
        var text = new string('a', Limits.TextChars + 1);
        Assert.Throws<ArgumentException>(() => tokenizer.Encode(text, parseSpecial: false));
    }

    private static string Valid(string text) =>
        System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));

    private static void NoBos(GgufWriter writer) => writer.Add("tokenizer.ggml.add_bos_token", false);

    private static void Llama(GgufWriter writer, string[] tokens)
    {
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.tokens", tokens);
    }

    private static void Numbers(GgufWriter writer, string key)
    {
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add(key, [1, 2]);
    }

    private static void Gpt2(GgufWriter writer, string preTokenizer, string[]? merges)
    {
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", preTokenizer);
        writer.Add("tokenizer.ggml.tokens", ["a", "b"]);
        if (merges is not null)
            writer.Add("tokenizer.ggml.merges", merges);
    }
}
