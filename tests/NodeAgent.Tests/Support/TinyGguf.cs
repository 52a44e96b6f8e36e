using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>The smallest file the reader takes for a language model; no engine would run it.</summary>
internal static class TinyGguf
{
    /// <param name="variant">Files of different variants differ in content but not in size.</param>
    public static byte[] Bytes(int variant = 0)
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", "llama");
        writer.Add("llama.block_count", 1u);
        writer.Add("llama.embedding_length", 8u);
        writer.Add("llama.context_length", 16u);
        writer.Add("llama.attention.head_count", 1u);
        writer.AddTensor(
            "token_embd.weight",
            GgufTensorType.F32,
            [8, 512],
            stream =>
            {
                var data = new byte[8 * 512 * sizeof(float)];
                data[0] = (byte)variant;
                stream.Write(data);
            }
        );
        using var file = new MemoryStream();
        writer.WriteTo(file);
        return file.ToArray();
    }
}
