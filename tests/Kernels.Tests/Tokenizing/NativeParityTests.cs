using CsCheck;
using EgpuFleet.Formats.Tests.Tokenizing;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.TestKit;

namespace EgpuFleet.Kernels.Tests.Tokenizing;

/// <summary>Our tokenizer against llama.cpp's on the same files and random texts.</summary>
public sealed class NativeParityTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efg");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void The_stories_model_gives_the_same_ids_and_bytes()
    {
        using var both = new NativeVocabulary(Stories.ModelPath);
        both.AssertSameTokens();
        Texts.Any.Sample(text => both.AssertSameIds(text), iter: 5_000, threads: 1);
        both.AssertSameIds(Stories.Golden);
    }

    [Theory]
    [InlineData("default")]
    [InlineData("gpt-2")]
    [InlineData("phi-2")]
    [InlineData("mpt")]
    [InlineData("olmo")]
    [InlineData("jais")]
    [InlineData("gigachat")]
    [InlineData("exaone4")]
    [InlineData("starcoder")]
    [InlineData("refact")]
    [InlineData("command-r")]
    [InlineData("smollm")]
    [InlineData("codeshell")]
    [InlineData("exaone")]
    [InlineData("minerva-7b")]
    [InlineData("falcon")]
    [InlineData("llama3")]
    [InlineData("llama-v3")]
    [InlineData("llama-bpe")]
    [InlineData("falcon3")]
    [InlineData("falcon-h1")]
    [InlineData("pixtral")]
    [InlineData("midm-2.0")]
    [InlineData("lfm2")]
    [InlineData("dbrx")]
    [InlineData("smaug-bpe")]
    [InlineData("glm4")]
    [InlineData("chatglm-bpe")]
    [InlineData("qwen2")]
    [InlineData("stablelm2")]
    [InlineData("deepseek-r1-qwen")]
    [InlineData("kormo")]
    [InlineData("megrez")]
    [InlineData("hunyuan")]
    [InlineData("solar-open")]
    [InlineData("grok-2")]
    [InlineData("qwen35")]
    [InlineData("tekken")]
    [InlineData("gpt-4o")]
    [InlineData("llama4")]
    [InlineData("kanana2")]
    [InlineData("deepseek-llm")]
    [InlineData("deepseek-coder")]
    public void Every_pre_tokenizer_gives_the_same_ids(string preTokenizer)
    {
        using var both = new NativeVocabulary(SampleVocabulary(preTokenizer));
        both.AssertSameTokens();
        Texts.Any.Sample(text => both.AssertSameIds(text), iter: 500, threads: 1);
    }

    /// <summary>The sample model's vocabulary alone, under another pre-tokenizer.</summary>
    private string SampleVocabulary(string preTokenizer)
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        var reader = GgufReader.Open(file);
        var writer = new GgufWriter();
        writer.Add("general.architecture", "llama");
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", preTokenizer);
        foreach (var key in (string[])["tokenizer.ggml.tokens", "tokenizer.ggml.merges"])
            writer.Add(key, reader.ReadTexts(reader.Metadata.Array(key)!));
        const string Kinds = "tokenizer.ggml.token_type";
        writer.Add(Kinds, reader.ReadNumbers(reader.Metadata.Array(Kinds)!));
        foreach (var key in (string[])["tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id"])
            writer.Add(key, (uint)reader.Metadata.Count(key, int.MaxValue)!.Value);
        var path = Path.Combine(folder.FullName, $"{preTokenizer}.gguf");
        using var output = File.Create(path);
        writer.WriteTo(output);
        return path;
    }
}
