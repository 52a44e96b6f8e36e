using CsCheck;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests.Tokenizing;

public sealed class RoundTripTests
{
    public static TheoryData<string> PreTokenizers => new(PreTokenizer.Names);

    [Theory]
    [MemberData(nameof(PreTokenizers))]
    public void Byte_pairs_decode_to_the_text(string name)
    {
        var tokenizer = SyntheticVocabulary.BytePair(
            name,
            ["Ġ t", "h e", "Ġt he", "e r", "i n", "Ċ Ċ", "Ġ Ġ", "l l", "Ã ©"],
            [("<|im_end|>", SyntheticVocabulary.Control), ("    ", SyntheticVocabulary.UserDefined)],
            writer => writer.Add("tokenizer.ggml.add_bos_token", false)
        );
        Texts.Valid.Sample(text => tokenizer.Decode(tokenizer.Encode(text, parseSpecial: false)) == text, iter: 300);
    }

    [Fact]
    public void Sentence_pieces_decode_to_the_text()
    {
        var tokenizer = SyntheticVocabulary.SentencePiece([
            ("▁t", -1f),
            ("he", -2f),
            ("▁the", -3f),
            ("é", 0f),
            ("▁", 0f),
        ]);
        // ▁ itself is how a space is written, so it comes back as one.
        Texts
            .Valid.Where(text => !text.Contains('▁', StringComparison.Ordinal))
            .Sample(text => Decoded(tokenizer, text) == text, iter: 1_000);
    }

    [Fact]
    public void The_published_stories_model_gives_back_any_text()
    {
        Assert.SkipWhen(RepositoryPaths.Shared is null, "../shared is not there");
        var path = Path.Combine(RepositoryPaths.Shared!, "models", "stories260K", "stories260K.gguf");
        using var file = File.OpenRead(path);
        var tokenizer = GgufTokenizer.From(GgufReader.Open(file));
        Assert.Equal((512, 1), (tokenizer.Size, tokenizer.Bos));
        Assert.Equal([1, 403, 407, 261, 378], tokenizer.Encode("Once upon a time", parseSpecial: false));
        Texts
            .Valid.Where(text => !text.Contains('▁', StringComparison.Ordinal))
            .Sample(text => Decoded(tokenizer, text) == text, iter: 1_000);
    }

    [Fact]
    public void The_sample_model_knows_its_template()
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        var tokenizer = GgufTokenizer.From(GgufReader.Open(file));
        var tokens = tokenizer.Encode("<|im_start|>user\nHi<|im_end|>", parseSpecial: true, addSpecial: false);
        Assert.Equal([1022, 1023], tokens.Where(token => token >= 1021));
        Assert.True(tokenizer.EndsText(tokens[^1]));
        Assert.Equal("user\nHi", tokenizer.Decode(tokens));
    }

    /// <summary>Without BOS, so that the first piece begins the text.</summary>
    private static string Decoded(GgufTokenizer tokenizer, string text) =>
        tokenizer.Decode(tokenizer.Encode(text, parseSpecial: false, addSpecial: false));
}
