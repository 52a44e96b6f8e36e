using CsCheck;
using EgpuFleet.Formats.Tests.Tokenizing;

namespace EgpuFleet.Kernels.Tests.Tokenizing;

/// <summary>Our tokenizer against llama.cpp's on the vocabularies of published models: ids, bytes and ends of text.</summary>
public sealed class PublishedVocabularyTests(LlamaVocabularies vocabularies) : IClassFixture<LlamaVocabularies>
{
    [Theory]
    [InlineData("aquila")]
    [InlineData("baichuan")]
    [InlineData("command-r")]
    [InlineData("deepseek-coder")]
    [InlineData("deepseek-llm")]
    [InlineData("falcon")]
    [InlineData("gpt-2")]
    [InlineData("gpt-neox")]
    [InlineData("llama-bpe")]
    [InlineData("llama-spm")]
    [InlineData("mpt")]
    [InlineData("phi-3")]
    [InlineData("qwen2")]
    [InlineData("qwen35")]
    [InlineData("refact")]
    [InlineData("starcoder")]
    public void Tokens_and_random_texts_are_the_same(string name)
    {
        using var both = new NativeVocabulary(vocabularies.PathOf(name));
        both.AssertSameTokens();
        Texts.Any.Sample(text => both.AssertSameIds(text), iter: 300, threads: 1);
    }
}
