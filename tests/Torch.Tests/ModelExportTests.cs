using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.SampleModel;
using EgpuFleet.Kernels.Torch.Tokenizing;

namespace EgpuFleet.Torch.Tests;

public sealed class ModelExportTests : IDisposable
{
    private readonly string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".gguf");
    private readonly LlamaModel model = new(TinyModels.Config, seed: 2);

    public ModelExportTests() => ModelExport.Write(path, "tiny", model, TinyModels.Vocabulary);

    [Fact]
    public void The_reader_finds_the_shape_and_the_vocabulary_of_what_was_exported()
    {
        using var file = File.OpenRead(path);
        var reader = GgufReader.Open(file);
        var facts = GgufModelFacts.From(reader);
        Assert.Equal(("llama", "tiny", "F16"), (facts.Architecture, facts.Name, facts.FileType));
        Assert.Equal((2, 4, 2), (facts.Layers, facts.Heads, facts.KvHeads));
        Assert.Equal((32, 48, 384, 64), (facts.Embedding, facts.FeedForward, facts.VocabSize, facts.ContextLength));
        Assert.Equal(model.Parameters.Sum(entry => entry.Value.numel()), facts.Parameters);
        Assert.True(facts.HasChatTemplate);
        Assert.Equal(2 * 2 * 2 * 8, facts.KvValuesPerToken);
        var vocabulary = VocabularyFile.Read(reader);
        Assert.Equal(TinyModels.Vocabulary.Tokens, vocabulary.Tokens);
        Assert.Equal(TinyModels.Vocabulary.Merges, vocabulary.Merges);
    }

    [Fact]
    public void Matrices_are_stored_as_halves_and_norms_as_floats()
    {
        using var file = File.OpenRead(path);
        var reader = GgufReader.Open(file);
        Assert.Equal(model.Parameters.Select(entry => entry.Name), reader.Tensors.Select(tensor => tensor.Name));
        foreach (var (tensor, (_, value)) in reader.Tensors.Zip(model.Parameters))
        {
            var bytes = new byte[tensor.Bytes];
            reader.ReadTensor(tensor, 0, bytes);
            var floats = value.data<float>().ToArray();
            Assert.Equal(value.shape.Reverse(), tensor.Dimensions);
            if (value.dim() == 2)
                Assert.Equal(floats.Select(number => (Half)number), MemoryMarshal.Cast<byte, Half>(bytes).ToArray());
            else
                Assert.Equal(floats, MemoryMarshal.Cast<byte, float>(bytes).ToArray());
        }
    }

    [Fact]
    public void A_file_with_another_kind_of_vocabulary_is_refused()
    {
        var writer = new GgufWriter();
        writer.Add("tokenizer.ggml.pre", "default");
        using var file = new MemoryStream();
        writer.WriteTo(file);
        Assert.Throws<GgufException>(() => VocabularyFile.Read(GgufReader.Open(file)));
    }

    public void Dispose()
    {
        model.Dispose();
        File.Delete(path);
    }
}
