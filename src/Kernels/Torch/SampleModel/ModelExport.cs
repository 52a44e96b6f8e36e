using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Tokenizing;
using TorchSharp;

namespace EgpuFleet.Kernels.Torch.SampleModel;

/// <summary>Writes a model and its vocabulary as one GGUF file: matrices F16, norms F32, a ChatML template.</summary>
public static class ModelExport
{
    private const uint MostlyF16 = 1;
    private const int NormalToken = 1;
    private const int ControlToken = 3;

    private const string ChatTemplate =
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' "
        + "+ '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>Writes beside the path first and renames, so that a reader never sees half a file.</summary>
    public static void Write(string path, string name, LlamaModel model, BpeVocabulary vocabulary)
    {
        var writer = new GgufWriter();
        DescribeModel(writer, name, model.Config);
        DescribeVocabulary(writer, vocabulary);
        foreach (var (tensorName, value) in model.Parameters)
            AddTensor(writer, tensorName, value);
        var partial = path + ".part";
        using (var stream = File.Create(partial))
            writer.WriteTo(stream);
        File.Move(partial, path, overwrite: true);
    }

    private static void DescribeModel(GgufWriter writer, string name, LlamaConfig config)
    {
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", name);
        writer.Add("general.description", "A tiny model made by EgpuFleet's own code from text of its own grammar.");
        writer.Add("general.license", "mit");
        writer.Add("general.file_type", MostlyF16);
        writer.Add("llama.vocab_size", (uint)config.Vocabulary);
        writer.Add("llama.context_length", (uint)config.Context);
        writer.Add("llama.embedding_length", (uint)config.Hidden);
        writer.Add("llama.block_count", (uint)config.Layers);
        writer.Add("llama.feed_forward_length", (uint)config.FeedForward);
        writer.Add("llama.attention.head_count", (uint)config.Heads);
        writer.Add("llama.attention.head_count_kv", (uint)config.KvHeads);
        writer.Add("llama.attention.layer_norm_rms_epsilon", config.NormEpsilon);
        writer.Add("llama.rope.dimension_count", (uint)config.HeadSize);
        writer.Add("llama.rope.freq_base", config.RopeBase);
    }

    private static void DescribeVocabulary(GgufWriter writer, BpeVocabulary vocabulary)
    {
        var endOfText = (uint)vocabulary.IdOf(SpecialTokens.EndOfText);
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", "llama-bpe");
        writer.Add("tokenizer.ggml.tokens", vocabulary.Tokens);
        writer.Add(
            "tokenizer.ggml.token_type",
            vocabulary.Tokens.Select(token => SpecialTokens.All.Contains(token) ? ControlToken : NormalToken).ToArray()
        );
        writer.Add("tokenizer.ggml.merges", vocabulary.Merges.Select(merge => $"{merge.Left} {merge.Right}").ToArray());
        writer.Add("tokenizer.ggml.bos_token_id", endOfText);
        writer.Add("tokenizer.ggml.eos_token_id", endOfText);
        writer.Add("tokenizer.ggml.eot_token_id", (uint)vocabulary.IdOf(SpecialTokens.TurnEnd));
        writer.Add("tokenizer.ggml.padding_token_id", endOfText);
        writer.Add("tokenizer.ggml.add_bos_token", true);
        writer.Add("tokenizer.ggml.add_eos_token", false);
        writer.Add("tokenizer.ggml.add_space_prefix", false);
        writer.Add("tokenizer.chat_template", ChatTemplate);
    }

    private static void AddTensor(GgufWriter writer, string name, torch.Tensor value)
    {
        var isMatrix = value.dim() == 2;
        var type = isMatrix ? GgufTensorType.F16 : GgufTensorType.F32;
        writer.AddTensor(
            name,
            type,
            [.. value.shape.Reverse()],
            stream =>
            {
                using var scope = torch.NewDisposeScope();
                var floats = value.detach().contiguous().data<float>().ToArray();
                stream.Write(
                    isMatrix
                        ? MemoryMarshal.AsBytes(Array.ConvertAll(floats, number => (Half)number).AsSpan())
                        : MemoryMarshal.AsBytes(floats.AsSpan())
                );
            }
        );
    }
}
