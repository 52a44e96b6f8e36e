namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>Widths of a small random model; those of the delta net count where the architecture is qwen35.</summary>
/// <param name="Architecture">GGUF <c>general.architecture</c>: llama, qwen2, qwen3 or qwen35.</param>
internal sealed record SyntheticShape(string Architecture)
{
    public int Layers { get; init; } = 4;
    public int Width { get; init; } = 64;
    public int Hidden { get; init; } = 96;
    public int Heads { get; init; } = 4;
    public int KvHeads { get; init; } = 2;
    public int HeadWidth { get; init; } = 32;
    public int RotatedWidth { get; init; } = 32;
    public int ContextTokens { get; init; } = 256;

    /// <summary>Every so manieth layer has attention, the others are gated delta nets.</summary>
    public int AttentionInterval { get; init; } = 2;
    public int KeyHeads { get; init; } = 2;
    public int ValueHeads { get; init; } = 4;

    /// <summary>Of a delta net's keys and values alike, as llama.cpp wants it.</summary>
    public int StateWidth { get; init; } = 16;
    public int Convolution { get; init; } = 4;

    public bool HasDeltaNets => Architecture == "qwen35";

    public bool NormsHeads => Architecture is "qwen3" or "qwen35";

    public bool IsRecurrent(int layer) => HasDeltaNets && (layer + 1) % AttentionInterval != 0;
}
