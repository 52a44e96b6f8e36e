namespace EgpuFleet.Kernels.Formats.Gguf;

/// <summary>What a model file says of itself: pure facts for admission, placement and the model list.</summary>
/// <param name="Architecture">llama.cpp's name of the architecture, such as <c>llama</c>.</param>
/// <param name="Name">The model's own name, or the architecture where it has none.</param>
/// <param name="Parameters">Numbers in all tensors.</param>
/// <param name="ContextLength">Tokens the model was trained for.</param>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="Heads">Attention heads (the most of any layer).</param>
/// <param name="KvHeads">Key and value heads (the most of any layer).</param>
/// <param name="Embedding">Width of the hidden state.</param>
/// <param name="FeedForward">Width inside the feed-forward block; 0 where unknown.</param>
/// <param name="VocabSize">Tokens in the vocabulary.</param>
/// <param name="FileType">Quantisation name, such as <c>F16</c> or <c>Q4_K_M</c>.</param>
/// <param name="WeightBytes">Bytes of all tensors.</param>
/// <param name="HasChatTemplate">Whether chat requests can be rendered.</param>
/// <param name="KvValuesPerToken">Numbers kept per token over all layers, keys and values.</param>
public sealed record GgufModelFacts(
    string Architecture,
    string Name,
    long Parameters,
    int ContextLength,
    int Layers,
    int Heads,
    int KvHeads,
    int Embedding,
    int FeedForward,
    int VocabSize,
    string FileType,
    long WeightBytes,
    bool HasChatTemplate,
    long KvValuesPerToken
)
{
    // llama.cpp's default micro-batch: the most tokens whose activations exist at once.
    private const int PrefillBatch = 512;

    // Fixed part of an engine's buffers: graph, scratch and back-end bookkeeping.
    private const long FixedReserveBytes = 32L << 20;

    /// <summary>Bytes of keys and values per token with 16-bit storage.</summary>
    public long KvBytesPerTokenF16 => KvBytesPerToken(KvPrecision.F16);

    /// <summary>Bytes of keys and values per token with 32-bit storage.</summary>
    public long KvBytesPerTokenF32 => KvBytesPerToken(KvPrecision.F32);

    /// <summary>Bytes of keys and values per token.</summary>
    public long KvBytesPerToken(KvPrecision precision) => KvValuesPerToken * (int)precision;

    /// <summary>Memory to serve <paramref name="slots"/> sequences of <paramref name="context"/> tokens each at once.</summary>
    /// <param name="context">Tokens per sequence, prompt and answer together.</param>
    /// <param name="slots">Sequences decoded at once.</param>
    /// <param name="precision">Storage of keys and values.</param>
    public MemoryEstimate EstimateMemory(int context, int slots, KvPrecision precision = KvPrecision.F16)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(context);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(slots);
        var tokens = (Int128)context * slots;
        var kv = tokens * KvBytesPerToken(precision);
        var batch = Int128.Min(PrefillBatch, tokens);
        var perToken = ((Int128)8 * Embedding) + ((Int128)3 * FeedForward) + ((Int128)Heads * tokens) + VocabSize;
        var activations = FixedReserveBytes + (batch * perToken * sizeof(float));
        return new MemoryEstimate(WeightBytes, Saturate(kv), Saturate(activations));
    }

    /// <summary>Reads the facts of a language model.</summary>
    /// <exception cref="GgufException">A needed key is missing, of the wrong type or implausible.</exception>
    public static GgufModelFacts From(GgufReader reader)
    {
        var keys = new GgufModelKeys(reader);
        var layers = keys.Required("block_count", Limits.Layers);
        var embedding = keys.Required("embedding_length", Limits.Width);
        var heads = keys.PerLayer("attention.head_count", layers) ?? [1];
        var kvHeads = keys.PerLayer("attention.head_count_kv", layers) ?? heads;
        var mostHeads = heads.Max();
        var headSize = mostHeads == 0 ? embedding : embedding / mostHeads;
        var keySize = keys.Optional("attention.key_length", Limits.Width) ?? headSize;
        var valueSize = keys.Optional("attention.value_length", Limits.Width) ?? headSize;
        var kvHeadsOfAllLayers = kvHeads.Length == 1 ? (long)kvHeads[0] * layers : kvHeads.Sum(count => (long)count);
        return new GgufModelFacts(
            keys.Architecture,
            reader.Metadata.Text("general.name") ?? keys.Architecture,
            Saturate(reader.Tensors.Aggregate((Int128)0, (sum, tensor) => sum + tensor.Items)),
            keys.Required("context_length", Limits.Context),
            layers,
            mostHeads,
            kvHeads.Max(),
            embedding,
            (keys.PerLayer("feed_forward_length", layers) ?? [0]).Max(),
            keys.VocabSize(),
            GgufFileType.NameOf(reader),
            Saturate(reader.Tensors.Aggregate((Int128)0, (sum, tensor) => sum + tensor.Bytes)),
            reader.Metadata.Text(GgufModelKeys.ChatTemplate) is { Length: > 0 },
            kvHeadsOfAllLayers * ((long)keySize + valueSize)
        );
    }

    private static long Saturate(Int128 value) => (long)Int128.Min(value, long.MaxValue);
}
