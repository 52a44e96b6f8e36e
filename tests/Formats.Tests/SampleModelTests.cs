using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.TestKit;

namespace EgpuFleet.Formats.Tests;

public sealed class SampleModelTests
{
    [Fact]
    public void The_sample_model_is_what_its_readme_says()
    {
        using var file = File.OpenRead(RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"));
        var reader = GgufReader.Open(file);
        var facts = GgufModelFacts.From(reader);
        Assert.Equal(("llama", "tiny-fleet", "F16"), (facts.Architecture, facts.Name, facts.FileType));
        Assert.Equal((6, 8, 4), (facts.Layers, facts.Heads, facts.KvHeads));
        Assert.Equal(
            (256, 512, 1024, 1024),
            (facts.Embedding, facts.FeedForward, facts.VocabSize, facts.ContextLength)
        );
        Assert.True(facts.HasChatTemplate);
        Assert.InRange(file.Length, 7_500_000, 7_700_000);
        Assert.Equal("llama-bpe", reader.Metadata.Text("tokenizer.ggml.pre"));
        Assert.Contains("<|im_start|>", reader.Metadata.Text("tokenizer.chat_template"), StringComparison.Ordinal);
        Assert.All(
            reader.Tensors,
            tensor => Assert.Equal(tensor.Dimensions.Count == 2 ? "F16" : "F32", tensor.Type.Name)
        );
    }
}
