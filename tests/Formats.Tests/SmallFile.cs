using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Formats.Tests;

/// <summary>A complete model file of about a kilobyte whose last byte is a tensor's.</summary>
internal static class SmallFile
{
    public static byte[] Make()
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "llama");
        writer.Add("general.name", "small");
        writer.Add("general.file_type", 1u);
        writer.Add("llama.block_count", 2u);
        writer.Add("llama.context_length", 64u);
        writer.Add("llama.embedding_length", 8u);
        writer.Add("llama.feed_forward_length", 16u);
        writer.Add("llama.attention.head_count", 2u);
        writer.Add("llama.attention.head_count_kv", [1, 2]);
        writer.Add("llama.rope.freq_base", 10_000f);
        writer.Add("tokenizer.ggml.tokens", ["a", "b", "ab", "<|end|>"]);
        writer.Add("tokenizer.ggml.add_bos_token", true);
        writer.Add("tokenizer.chat_template", "{{ messages }}");
        writer.AddTensor("token_embd.weight", GgufTensorType.F16, [8, 4], stream => stream.Write(new byte[64]));
        writer.AddTensor("output_norm.weight", GgufTensorType.F32, [8], stream => stream.Write(new byte[32]));
        using var file = new MemoryStream();
        writer.WriteTo(file);
        return file.ToArray();
    }
}
