using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Adapters;

/// <summary>A base model of two blocks, and states of trainings of it, all numbers from a seed.</summary>
internal static class SmallModel
{
    public const int Layers = 2;
    public const int Width = 8;
    public const int HeadSize = 4;

    public static readonly string Sha256 = new('b', 64);

    public static readonly AdapterForm Form = new(Rank: 2, Alpha: 6, ["ffn_down", "attn_q", "attn_k"]);

    /// <summary>Matrices of a block with their outputs and inputs.</summary>
    public static readonly (string Name, int Outputs, int Inputs)[] Matrices =
    [
        ("attn_q", Width, Width),
        ("attn_k", HeadSize, Width),
        ("attn_v", HeadSize, Width),
        ("attn_output", Width, Width),
        ("ffn_gate", 12, Width),
        ("ffn_up", 12, Width),
        ("ffn_down", Width, 12),
    ];

    public static GgufReader Reader(string architecture = "llama") =>
        GgufReader.Open(new MemoryStream(File(architecture)));

    public static AdapterBase Base(string architecture = "llama") => AdapterBase.From(Reader(architecture), Sha256);

    public static byte[] File(string architecture = "llama")
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", architecture);
        writer.Add("general.file_type", 1u);
        writer.Add("general.quantization_version", 2u);
        writer.Add($"{architecture}.block_count", (uint)Layers);
        writer.Add($"{architecture}.context_length", 64u);
        writer.Add($"{architecture}.embedding_length", (uint)Width);
        writer.Add($"{architecture}.attention.head_count", 2u);
        writer.Add($"{architecture}.attention.head_count_kv", 1u);
        writer.Add($"{architecture}.rope.freq_base", 10_000f);
        writer.Add("tokenizer.ggml.tokens", ["a", "b", "c"]);
        writer.Add("tokenizer.ggml.scores", [0f, -1f, -2f]);
        writer.Add("tokenizer.ggml.add_bos_token", true);
        Zeros(writer, "token_embd.weight", GgufTensorType.F16, Width, 3);
        writer.AddTensor(
            "rope_freqs.weight",
            GgufTensorType.F32,
            [2],
            stream => stream.Write([1, 2, 3, 4, 5, 6, 7, 8])
        );
        Zeros(writer, "output_norm.weight", GgufTensorType.F32, Width);
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var (name, outputs, inputs) in Matrices)
                Zeros(writer, $"blk.{layer}.{name}.weight", GgufTensorType.F16, inputs, outputs);
        }
        using var file = new MemoryStream();
        writer.WriteTo(file);
        return file.ToArray();
    }

    /// <summary>The state of an adapter, with moments; changed before it is written.</summary>
    public static SafetensorsFile Adapter(Action<Dictionary<string, (long[] Shape, float[] Values)>>? change = null)
    {
        var random = new Random(3);
        var tensors = new Dictionary<string, (long[] Shape, float[] Values)>();
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var (name, outputs, inputs) in Matrices.Where(one => Form.Targets.Contains(one.Name)))
            {
                tensors[$"blk.{layer}.{name}.lora_a"] = Numbers(random, Form.Rank, inputs);
                tensors[$"blk.{layer}.{name}.lora_b"] = Numbers(random, outputs, Form.Rank);
            }
        }
        tensors["adam.m.blk.0.attn_q.lora_a"] = Numbers(random, Form.Rank, Width);
        change?.Invoke(tensors);
        return State(tensors, Sha256);
    }

    /// <summary>The state of a training of every weight.</summary>
    public static SafetensorsFile Retrained(Action<Dictionary<string, (long[] Shape, float[] Values)>>? change = null)
    {
        var random = new Random(4);
        var tensors = Reader()
            .Tensors.Where(tensor => tensor.Name != "rope_freqs.weight")
            .ToDictionary(
                tensor => tensor.Name,
                tensor => Numbers(random, [.. tensor.Dimensions.Reverse().Select(size => (int)size)])
            );
        change?.Invoke(tensors);
        return State(tensors, Sha256);
    }

    public static SafetensorsFile State(Dictionary<string, (long[] Shape, float[] Values)> tensors, string? sha256)
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "egpufleet-train-1");
        if (sha256 is not null)
            writer.AddMetadata("base_sha256", sha256);
        foreach (var (name, (shape, values)) in tensors)
            writer.Add(name, shape, values);
        var file = new MemoryStream();
        writer.WriteTo(file);
        return SafetensorsFile.Open(file);
    }

    public static byte[] Bytes(Action<Stream> write)
    {
        using var file = new MemoryStream();
        write(file);
        return file.ToArray();
    }

    private static (long[] Shape, float[] Values) Numbers(Random random, params int[] shape)
    {
        var values = new float[shape.Aggregate(1, (product, size) => product * size)];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextSingle() - 0.5f;
        return ([.. shape.Select(size => (long)size)], values);
    }

    private static void Zeros(GgufWriter writer, string name, GgufTensorType type, params long[] dimensions) =>
        writer.AddTensor(
            name,
            type,
            dimensions,
            stream => stream.Write(new byte[dimensions.Aggregate(1L, (a, b) => a * b) * type.BlockBytes])
        );
}
