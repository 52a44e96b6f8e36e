using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests;

public sealed class GgufModelFactsTests
{
    [Fact]
    public void The_facts_of_a_small_file_are_its_own()
    {
        var facts = GgufModelFacts.From(GgufReader.Open(new MemoryStream(SmallFile.Make())));
        Assert.Equal(("llama", "small", "F16"), (facts.Architecture, facts.Name, facts.FileType));
        Assert.Equal((40L, 96L), (facts.Parameters, facts.WeightBytes));
        Assert.Equal(
            (64, 2, 8, 16, 4),
            (facts.ContextLength, facts.Layers, facts.Embedding, facts.FeedForward, facts.VocabSize)
        );
        Assert.Equal((2, 2), (facts.Heads, facts.KvHeads));
        Assert.True(facts.HasChatTemplate);
        // One layer with one head and one with two, four numbers a head, keys and values.
        Assert.Equal(3 * 4 * 2, facts.KvValuesPerToken);
        Assert.Equal((48L, 96L), (facts.KvBytesPerTokenF16, facts.KvBytesPerTokenF32));
    }

    [Fact]
    public void Memory_grows_with_context_slots_and_precision_and_never_overflows()
    {
        var facts = GgufModelFacts.From(GgufReader.Open(new MemoryStream(SmallFile.Make())));
        var one = facts.EstimateMemory(64, 1);
        Assert.Equal((96L, 48L * 64), (one.WeightBytes, one.KvBytes));
        Assert.Equal(one.WeightBytes + one.KvBytes + one.ActivationBytes, one.TotalBytes);
        Assert.Equal(4 * one.KvBytes, facts.EstimateMemory(64, 4).KvBytes);
        Assert.Equal(2 * one.KvBytes, facts.EstimateMemory(64, 1, KvPrecision.F32).KvBytes);
        Assert.Equal(long.MaxValue, facts.EstimateMemory(int.MaxValue, int.MaxValue).TotalBytes);
    }

    [Theory]
    [InlineData("general.architecture")]
    [InlineData("llama.block_count")]
    [InlineData("llama.context_length")]
    [InlineData("llama.embedding_length")]
    public void A_file_without_a_needed_key_is_no_model(string missing)
    {
        var writer = new GgufWriter();
        writer.Add("tokenizer.ggml.tokens", ["a"]);
        foreach (var key in new[] { "llama.block_count", "llama.context_length", "llama.embedding_length" })
        {
            if (key != missing)
                writer.Add(key, 4u);
        }
        if (missing != "general.architecture")
            writer.Add("general.architecture", "llama");
        Refused(writer, GgufFault.Model, missing);
    }

    [Theory]
    [InlineData("llama.block_count", 0u)]
    [InlineData("llama.block_count", uint.MaxValue)]
    [InlineData("llama.context_length", uint.MaxValue)]
    [InlineData("llama.embedding_length", 1u << 30)]
    [InlineData("llama.attention.head_count", uint.MaxValue)]
    [InlineData("llama.feed_forward_length", uint.MaxValue)]
    public void An_implausible_number_is_refused(string key, uint value)
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "llama");
        writer.Add("tokenizer.ggml.tokens", ["a"]);
        foreach (var needed in new[] { "llama.block_count", "llama.context_length", "llama.embedding_length" })
            writer.Add(needed, needed == key ? value : 4u);
        if (!key.StartsWith("llama.b", StringComparison.Ordinal) && !key.EndsWith("length", StringComparison.Ordinal))
            writer.Add(key, value);
        else if (key == "llama.feed_forward_length")
            writer.Add(key, value);
        Refused(writer, GgufFault.Model, key);
    }

    [Fact]
    public void Zero_heads_are_read_as_a_model_without_attention()
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "other");
        writer.Add("tokenizer.ggml.tokens", ["a"]);
        foreach (var needed in new[] { "other.block_count", "other.context_length", "other.embedding_length" })
            writer.Add(needed, 4u);
        writer.Add("other.attention.head_count", 0u);
        using var file = new MemoryStream();
        writer.WriteTo(file);
        Assert.Equal(0, GgufModelFacts.From(GgufReader.Open(file)).KvValuesPerToken);
    }

    [Fact]
    public void The_published_stories_model_is_read()
    {
        Assert.SkipWhen(RepositoryPaths.Shared is null, "../shared is not there");
        var path = Path.Combine(RepositoryPaths.Shared!, "models", "stories260K", "stories260K.gguf");
        using var file = File.OpenRead(path);
        var reader = GgufReader.Open(file);
        var facts = GgufModelFacts.From(reader);
        Assert.Equal(("llama", "F32"), (facts.Architecture, facts.FileType));
        Assert.Equal((5, 8, 4, 64, 512), (facts.Layers, facts.Heads, facts.KvHeads, facts.Embedding, facts.VocabSize));
        Assert.Equal(512, facts.ContextLength);
        Assert.InRange(facts.Parameters, 260_000, 300_000);
        Assert.Equal(facts.Parameters * 4, facts.WeightBytes);
        Assert.False(facts.HasChatTemplate);
        Assert.Equal(2 * 5 * 4 * 8, facts.KvValuesPerToken);
        Assert.Equal("<s>", reader.ReadTexts(reader.Metadata.Array("tokenizer.ggml.tokens")!)[1].Trim());
    }

    private static void Refused(GgufWriter writer, string code, string mentions)
    {
        using var file = new MemoryStream();
        writer.WriteTo(file);
        var refusal = Assert.Throws<GgufException>(() => GgufModelFacts.From(GgufReader.Open(file)));
        Assert.Equal(code, refusal.Code);
        Assert.Contains(mentions, refusal.Message, StringComparison.Ordinal);
    }
}
