using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Torch.SampleModel;
using EgpuFleet.Kernels.Torch.SampleModel.Corpus;
using EgpuFleet.Kernels.Torch.Tokenizing;
using EgpuFleet.TestKit;

namespace EgpuFleet.Torch.Tests;

/// <summary>The vocabulary of the committed sample model, read from its file.</summary>
public sealed class SampleVocabularyTests
{
    private static readonly BpeVocabulary Vocabulary = Read();

    /// <summary>Texts and the ids that llama.cpp's own tokenizer gave for them with this file.</summary>
    public static TheoryData<string, int[]> FromLlamaCpp =>
        new()
        {
            {
                "The little fox's den, at 12345 o'clock!",
                [285, 496, 621, 39, 115, 280, 293, 44, 512, 32, 49, 50, 51, 52, 53, 266, 39, 99, 108, 111, 99, 107, 33]
            },
            { "I'LL  go\n\n\nnow \n x", [73, 39, 76, 76, 32, 466, 10, 10, 10, 408, 32, 10, 32, 120] },
            {
                "漢字 and émigré 🦊🦊",
                [
                    .. new[] { 230, 188, 162, 229, 173, 151, 281, 32, 195, 169, 109, 105, 103, 114, 195, 169, 32 },
                    .. new[] { 240, 159, 166, 138, 240, 159, 166, 138 },
                ]
            },
            { "user\nWhat is a GPU?", [308, 10, 423, 301, 258, 726, 63] },
            { "   leading and trailing   ", [32, 32, 548, 369, 314, 281, 257, 438, 483, 314, 32, 32, 32] },
            {
                "Ünïcode_and-dashes -- (x+y)*2=?!\ttab",
                [
                    .. new[]
                    {
                        195,
                        156,
                        110,
                        195,
                        175,
                        99,
                        111,
                        405,
                        95,
                        267,
                        100,
                        45,
                        100,
                        264,
                        256,
                        115,
                        32,
                        45,
                        45,
                    },
                    .. new[] { 32, 40, 120, 43, 121, 41, 42, 50, 61, 63, 33, 9, 116, 97, 98 },
                ]
            },
        };

    [Theory]
    [MemberData(nameof(FromLlamaCpp))]
    public void Encoding_equals_that_of_llama_cpp(string text, int[] tokens) =>
        Assert.Equal(tokens, Vocabulary.Encode(text));

    [Fact]
    public void Every_answer_fits_into_48_tokens()
    {
        var chooser = new Chooser(new Random(SampleRecipe.TinyFleet(1).Training.Seed));
        for (var i = 0; i < 3_000; i++)
        {
            var exchange = Questions.Any(chooser);
            Assert.True(Vocabulary.Encode(exchange.Answer).Count <= 48, exchange.Answer);
        }
    }

    private static BpeVocabulary Read()
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        return VocabularyFile.Read(GgufReader.Open(file));
    }
}
