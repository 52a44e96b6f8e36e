namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>Shape of a decoder of the Llama family; the defaults are those of the sample model.</summary>
/// <param name="Hidden">Width of the hidden state.</param>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="FeedForward">Width inside the gated feed-forward block.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="Vocabulary">Tokens.</param>
/// <param name="Context">Longest sequence.</param>
public sealed record LlamaConfig(
    int Hidden,
    int Layers,
    int FeedForward,
    int Heads,
    int KvHeads,
    int Vocabulary,
    int Context
)
{
    /// <summary>The model under samples/models.</summary>
    public static LlamaConfig TinyFleet { get; } = new(256, 6, 512, 8, 4, 1024, 1024);

    /// <summary>GGUF <c>general.architecture</c>: llama, qwen2 or qwen3.</summary>
    public string Architecture { get; init; } = "llama";

    /// <summary>Width of one head.</summary>
    public int HeadSize { get; init; } = Hidden / Heads;

    /// <summary>Added to the mean square before its root.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Base of the rotary position angles.</summary>
    public float RopeBase { get; init; } = 10_000f;

    /// <summary>What the angle of each pair is divided by; empty: 1.</summary>
    public IReadOnlyList<float> RopeDivisors { get; init; } = [];

    /// <summary>Whether the output head is the embedding table.</summary>
    public bool IsTied { get; init; } = true;

    /// <summary>Whether queries, keys and values have biases.</summary>
    public bool HasBiases { get; init; }

    /// <summary>Whether queries and keys are normed head by head.</summary>
    public bool NormsHeads { get; init; }

    /// <summary>Angles turn neighbouring rows of a head (as GGUF orders llama), else a row and the one half a head on.</summary>
    public bool TurnsNeighbours => Architecture == "llama";

    /// <summary>Rows of all query heads.</summary>
    public int QueryRows => Heads * HeadSize;

    /// <summary>Rows of all key heads, and of all value heads.</summary>
    public int KeyRows => KvHeads * HeadSize;

    /// <summary>Weights of the whole model.</summary>
    public long Parameters =>
        WeightTable.Of(this).Sum(entry => entry.Shape.Aggregate(1L, (product, size) => product * size));
}
