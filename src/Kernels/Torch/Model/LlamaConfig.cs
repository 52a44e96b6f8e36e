namespace EgpuFleet.Kernels.Torch.Model;

/// <summary>Shape of a Llama-architecture decoder with tied embeddings.</summary>
/// <param name="Hidden">Width of the hidden state.</param>
/// <param name="Layers">Transformer blocks.</param>
/// <param name="FeedForward">Width inside the gated feed-forward block.</param>
/// <param name="Heads">Query heads; divides <paramref name="Hidden"/>.</param>
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
    /// <summary>Added to the mean square before its root.</summary>
    public const float NormEpsilon = 1e-5f;

    /// <summary>Base of the rotary position angles.</summary>
    public const float RopeBase = 10_000f;

    /// <summary>The model under samples/models.</summary>
    public static LlamaConfig TinyFleet { get; } = new(256, 6, 512, 8, 4, 1024, 1024);

    /// <summary>Width of one head.</summary>
    public int HeadSize => Hidden / Heads;
}
