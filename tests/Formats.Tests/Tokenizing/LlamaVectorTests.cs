using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Tokenizing;

namespace EgpuFleet.Formats.Tests.Tokenizing;

/// <summary>The ids that llama.cpp itself is tested for.</summary>
public sealed class LlamaVectorTests(LlamaVocabularies vocabularies) : IClassFixture<LlamaVocabularies>
{
    [Theory]
    [InlineData("command-r", "command-r")]
    [InlineData("deepseek-coder", "deepseek-coder")]
    [InlineData("deepseek-llm", "deepseek-llm")]
    [InlineData("falcon", "falcon")]
    [InlineData("gpt-2", "gpt-2")]
    [InlineData("llama-bpe", "llama-bpe")]
    [InlineData("llama-spm", null)]
    [InlineData("mpt", "mpt")]
    [InlineData("phi-3", null)]
    [InlineData("qwen2", "qwen2")]
    [InlineData("qwen35", "qwen35")]
    [InlineData("refact", "refact")]
    [InlineData("starcoder", "starcoder")]
    public void Texts_have_the_ids_that_llama_expects(string name, string? preTokenizer)
    {
        using var file = File.OpenRead(vocabularies.PathOf(name));
        var reader = GgufReader.Open(file);
        var tokenizer = GgufTokenizer.From(reader);
        if (preTokenizer is not null)
            Assert.Equal(preTokenizer, reader.Metadata.Text("tokenizer.ggml.pre"));
        var vectors = vocabularies.Vectors(name);
        Assert.True(vectors.Count > 40);
        Assert.All(
            vectors,
            vector => Assert.Equal(vector.Ids, tokenizer.Encode(vector.Text, parseSpecial: false, addSpecial: false))
        );
    }

    /// <summary>No vocabulary fails otherwise than by saying that it is not known.</summary>
    [Fact]
    public void Every_other_vocabulary_is_read_or_refused_by_name()
    {
        var refused = new List<string>();
        foreach (var name in vocabularies.Names())
        {
            using var file = File.OpenRead(vocabularies.PathOf(name));
            var reader = GgufReader.Open(file);
            try
            {
                _ = GgufTokenizer.From(reader);
            }
            catch (GgufException refusal) when (refusal.Code == GgufFault.Tokenizer)
            {
                refused.Add($"{name}: {refusal.Message}");
            }
        }
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', refused));
        Assert.DoesNotContain(refused, line => line.Contains("\"gpt-2\"", StringComparison.Ordinal));
    }
}
