using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>
/// A small model with random weights of a fixed seed, under the names and with the metadata that llama.cpp's loader of its
/// architecture wants. Activations keep their size from layer to layer, so that its greedy texts wander.
/// </summary>
internal sealed class SyntheticModel
{
    private readonly SyntheticShape shape;
    private readonly WeightKind kind;
    private readonly Random random;
    private readonly List<(string Name, long[] Dimensions, RandomMatrix Weights)> tensors = [];

    public SyntheticModel(SyntheticShape shape, WeightKind kind = WeightKind.F32, int seed = 1)
    {
        (this.shape, this.kind) = (shape, kind);
        // A test's numbers must be the same every time.
        random = new Random(seed);
        Matrix("token_embd.weight", ByteVocabulary.Size, shape.Width, 1);
        Vector("output_norm.weight", shape.Width, 1, 0.2f);
        Matrix("output.weight", ByteVocabulary.Size, shape.Width, 2 / MathF.Sqrt(shape.Width));
        // Its logit is always 0, never the highest: a text goes on until it is told to stop.
        tensors[^1].Weights.ClearRow(ByteVocabulary.EndOfText, ByteVocabulary.Size);
        for (var layer = 0; layer < shape.Layers; layer++)
            Layer($"blk.{layer}.", shape.IsRecurrent(layer));
    }

    /// <summary>Writes the file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="dequantised">The same values, all as F32.</param>
    public void Write(string path, bool dequantised = false)
    {
        var writer = new GgufWriter();
        Describe(writer);
        ByteVocabulary.AddTo(writer);
        foreach (var (name, dimensions, weights) in tensors)
        {
            var stored = dequantised ? weights.Dequantised() : weights;
            writer.AddTensor(name, stored.Type, dimensions, stream => stream.Write(stored.Bytes));
        }
        using var file = File.Create(path);
        writer.WriteTo(file);
    }

    private void Describe(GgufWriter writer)
    {
        var name = shape.Architecture;
        writer.Add("general.architecture", name);
        writer.Add($"{name}.block_count", (uint)shape.Layers);
        writer.Add($"{name}.context_length", (uint)shape.ContextTokens);
        writer.Add($"{name}.embedding_length", (uint)shape.Width);
        writer.Add($"{name}.feed_forward_length", (uint)shape.Hidden);
        writer.Add($"{name}.attention.head_count", (uint)shape.Heads);
        writer.Add($"{name}.attention.head_count_kv", (uint)shape.KvHeads);
        writer.Add($"{name}.attention.key_length", (uint)shape.HeadWidth);
        writer.Add($"{name}.attention.value_length", (uint)shape.HeadWidth);
        writer.Add($"{name}.attention.layer_norm_rms_epsilon", 1e-6f);
        writer.Add($"{name}.rope.freq_base", 10_000f);
        writer.Add($"{name}.rope.dimension_count", (uint)shape.RotatedWidth);
        if (!shape.HasDeltaNets)
            return;
        writer.Add($"{name}.rope.dimension_sections", Sections(shape.RotatedWidth / 2));
        writer.Add($"{name}.full_attention_interval", (uint)shape.AttentionInterval);
        writer.Add($"{name}.ssm.conv_kernel", (uint)shape.Convolution);
        writer.Add($"{name}.ssm.state_size", (uint)shape.StateWidth);
        writer.Add($"{name}.ssm.group_count", (uint)shape.KeyHeads);
        writer.Add($"{name}.ssm.time_step_rank", (uint)shape.ValueHeads);
        writer.Add($"{name}.ssm.inner_size", (uint)(shape.ValueHeads * shape.StateWidth));
    }

    /// <summary>Pairs of angles for time, height and width, which take turns: text uses the same position for all.</summary>
    private static int[] Sections(int pairs) => [(pairs + 2) / 3, (pairs + 1) / 3, pairs / 3, 0];

    private void Layer(string prefix, bool isRecurrent)
    {
        if (isRecurrent)
            DeltaNet(prefix);
        else
            Attention(prefix);
        Vector(prefix + "attn_norm.weight", shape.Width, 1, 0.2f);
        var norm = shape.HasDeltaNets ? "post_attention_norm.weight" : "ffn_norm.weight";
        Vector(prefix + norm, shape.Width, 1, 0.2f);
        Matrix(prefix + "ffn_gate.weight", shape.Hidden, shape.Width);
        Matrix(prefix + "ffn_up.weight", shape.Hidden, shape.Width);
        Matrix(prefix + "ffn_down.weight", shape.Width, shape.Hidden);
    }

    private void Attention(string prefix)
    {
        var (queries, keys) = (shape.Heads * shape.HeadWidth, shape.KvHeads * shape.HeadWidth);
        // A gate of the same width follows each head's query.
        Matrix(prefix + "attn_q.weight", shape.HasDeltaNets ? 2 * queries : queries, shape.Width);
        Matrix(prefix + "attn_k.weight", keys, shape.Width);
        Matrix(prefix + "attn_v.weight", keys, shape.Width);
        Matrix(prefix + "attn_output.weight", shape.Width, queries);
        if (shape.Architecture == "qwen2")
        {
            Vector(prefix + "attn_q.bias", queries, 0, 0.1f);
            Vector(prefix + "attn_k.bias", keys, 0, 0.1f);
            Vector(prefix + "attn_v.bias", keys, 0, 0.1f);
        }
        if (!shape.NormsHeads)
            return;
        Vector(prefix + "attn_q_norm.weight", shape.HeadWidth, 1.5f, 0.3f);
        Vector(prefix + "attn_k_norm.weight", shape.HeadWidth, 1.5f, 0.3f);
    }

    private void DeltaNet(string prefix)
    {
        var (keys, values) = (shape.KeyHeads * shape.StateWidth, shape.ValueHeads * shape.StateWidth);
        Matrix(prefix + "attn_qkv.weight", (2 * keys) + values, shape.Width);
        Matrix(prefix + "attn_gate.weight", values, shape.Width);
        Matrix(prefix + "ssm_conv1d.weight", (2 * keys) + values, shape.Convolution);
        Vector(prefix + "ssm_dt.bias", shape.ValueHeads, 0, 0.5f);
        // Negative: the state decays by exp(a × softplus(…)).
        Vector(prefix + "ssm_a", shape.ValueHeads, -0.3f, 0.05f);
        Matrix(prefix + "ssm_beta.weight", shape.ValueHeads, shape.Width);
        Matrix(prefix + "ssm_alpha.weight", shape.ValueHeads, shape.Width);
        Vector(prefix + "ssm_norm.weight", shape.StateWidth, 1, 0.2f);
        Matrix(prefix + "ssm_out.weight", shape.Width, values);
    }

    private void Matrix(string name, int rows, int columns, float? spread = null)
    {
        var weights = RandomMatrix.Create(kind, rows, columns, spread ?? 1 / MathF.Sqrt(columns), random);
        tensors.Add((name, [columns, rows], weights));
    }

    private void Vector(string name, int size, float middle, float spread)
    {
        var weights = RandomMatrix.Create(WeightKind.F32, 1, size, spread, random);
        var values = weights.Values.Select(value => middle + value).ToArray();
        MemoryMarshal.AsBytes<float>(values).CopyTo(weights.Bytes);
        values.CopyTo(weights.Values, 0);
        tensors.Add((name, [size], weights));
    }
}
