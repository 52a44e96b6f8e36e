using System.Text;
using CsCheck;
using EgpuFleet.Kernels.Formats.Tokenizing;
using EgpuFleet.Kernels.Torch.Tokenizing;

namespace EgpuFleet.Torch.Tests;

public sealed class BpeTests
{
    private static readonly Gen<string> Texts = Gen.Int[0, 0x10FFFF]
        .Where(value => value is < 0xD800 or > 0xDFFF)
        .Select(value => new Rune(value).ToString())
        .Array[0, 30]
        .Select(string.Concat);

    private static readonly string[] Tricky =
    [
        "fox",
        " the",
        "The",
        "'s",
        "'LL",
        "12345",
        "\n",
        "\r\n",
        "  ",
        "\t",
        "é",
        "漢字",
        "🦊",
        " ...",
        "!\n",
        "a\u0301",
        "<|im_end|>",
    ];

    private static readonly Gen<string> Words = Gen.Int[0, Tricky.Length - 1]
        .Select(index => Tricky[index])
        .Array[0, 20]
        .Select(string.Concat);

    [Fact]
    public void Decoding_gives_back_the_text() =>
        Gen.OneOf(Texts, Words)
            .Sample(text => TinyModels.Vocabulary.Decode(TinyModels.Vocabulary.Encode(text)) == text, iter: 5_000);

    [Fact]
    public void Pieces_are_the_text() =>
        Gen.OneOf(Texts, Words).Sample(text => string.Concat(PreTokenizer.Split(text)) == text, iter: 5_000);

    [Theory]
    [InlineData("The little fox's den", "The| little| fox|'s| den")]
    [InlineData("I'LL go 12345 km!", "I|'LL| go| |123|45| km|!")]
    [InlineData("a  b\n\n c \n", "a| | b|\n\n| c| \n")]
    [InlineData("user\nWhat?!\nx", "user|\n|What|?!\n|x")]
    public void Text_is_cut_as_llama_bpe_cuts_it(string text, string pieces) =>
        Assert.Equal(pieces.Split('|'), PreTokenizer.Split(text));

    [Fact]
    public void Every_byte_is_a_token_and_a_piece_that_is_a_token_is_not_cut()
    {
        var vocabulary = TinyModels.Vocabulary;
        Assert.Equal(TinyModels.VocabularySize, vocabulary.Tokens.Count);
        Assert.Equal(vocabulary.Tokens.Count, vocabulary.Tokens.Distinct(StringComparer.Ordinal).Count());
        for (var value = 0; value < 256; value++)
            Assert.Equal([(byte)value], ByteAlphabet.Decode(vocabulary.Tokens[value]));
        Assert.Single(vocabulary.Encode(" the"));
        Assert.Equal(2, vocabulary.Encode("ß").Count);
    }

    [Fact]
    public void Special_tokens_in_a_text_are_only_letters()
    {
        var tokens = TinyModels.Vocabulary.Encode(SpecialTokens.TurnEnd);
        Assert.DoesNotContain(TinyModels.Vocabulary.IdOf(SpecialTokens.TurnEnd), tokens);
    }

    [Fact]
    public void The_most_frequent_pair_merges_first()
    {
        var vocabulary = BpeTrainer.Train(["ab ab ab ab xy"], 256 + 2 + SpecialTokens.All.Count);
        Assert.Equal([("a", "b"), ("Ġ", "ab")], vocabulary.Merges);
        Assert.Throws<ArgumentException>(() => BpeTrainer.Train(["ab"], 1024));
    }
}
