using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;
using EgpuFleet.Kernels.Torch.Model;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>The shape of a model from the metadata of its GGUF; what this engine would compute otherwise is refused.</summary>
internal static class GgufConfig
{
    /// <summary>Tensor with what the angle of each rotary pair is divided by.</summary>
    public const string Divisors = "rope_freqs.weight";

    public static LlamaConfig Read(GgufReader reader)
    {
        var facts = GgufModelFacts.From(reader);
        if (facts.Architecture is not ("llama" or "qwen2" or "qwen3"))
            throw ModelFault.Of($"This engine trains llama, qwen2 and qwen3, not {facts.Architecture}.");
        if (facts.FeedForward == 0 || facts.Heads == 0 || facts.KvHeads == 0 || facts.Heads % facts.KvHeads != 0)
            throw ModelFault.Of($"{facts.Heads} heads over {facts.KvHeads} are no attention.");
        var headSize = Count(reader, facts, "attention.key_length") ?? (facts.Embedding / facts.Heads);
        if (headSize < 2 || headSize % 2 != 0 || (Count(reader, facts, "rope.dimension_count") ?? headSize) != headSize)
            throw ModelFault.Of("Angles over a part of each head are not known to this engine.");
        var names = reader.Tensors.Select(tensor => tensor.Name).ToHashSet(StringComparer.Ordinal);
        return new LlamaConfig(
            facts.Embedding,
            facts.Layers,
            facts.FeedForward,
            facts.Heads,
            facts.KvHeads,
            facts.VocabSize,
            facts.ContextLength
        )
        {
            Architecture = facts.Architecture,
            HeadSize = headSize,
            NormEpsilon = Number(reader, facts, "attention.layer_norm_rms_epsilon") ?? 1e-5f,
            RopeBase = Number(reader, facts, "rope.freq_base") ?? 10_000f,
            RopeDivisors = RopeDivisors(reader, facts, headSize / 2),
            IsTied = !names.Contains(WeightTable.Output),
            HasBiases = names.Contains("blk.0.attn_q.bias"),
            NormsHeads = names.Contains("blk.0.attn_q_norm.weight"),
        };
    }

    private static IReadOnlyList<float> RopeDivisors(GgufReader reader, GgufModelFacts facts, int pairs)
    {
        var scaling = reader.Metadata.Text($"{facts.Architecture}.rope.scaling.type") ?? "none";
        var all = scaling switch
        {
            "none" => 1f,
            "linear" => Number(reader, facts, "rope.scaling.factor") ?? 1f,
            _ => throw ModelFault.Of($"Rotary scaling {scaling} is not known to this engine."),
        };
        if (reader.Tensors.FirstOrDefault(tensor => tensor.Name == Divisors) is not { } given)
            return scaling == "none" ? [] : [.. Enumerable.Repeat(all, pairs)];
        if (given.Type != GgufTensorType.F32 || given.Items != pairs)
            throw ModelFault.Of($"{Divisors} are not {pairs} floats.");
        var (bytes, values) = (new byte[given.Bytes], new float[pairs]);
        reader.ReadTensor(given, 0, bytes);
        Dequantiser.Read(given.Type, bytes, values);
        return [.. values.Select(value => value * all)];
    }

    private static int? Count(GgufReader reader, GgufModelFacts facts, string key) =>
        reader.Metadata.Count($"{facts.Architecture}.{key}", Formats.Limits.Width);

    private static float? Number(GgufReader reader, GgufModelFacts facts, string key)
    {
        var full = $"{facts.Architecture}.{key}";
        if (!reader.Metadata.TryGet(full, out var value))
            return null;
        return value is double number and > 0 && double.IsFinite(number)
            ? (float)number
            : throw ModelFault.Of($"{full} is {value}.");
    }
}
