using EgpuFleet.Kernels.Tests.Models;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>What is measured.</summary>
internal static class EngineSizes
{
    /// <summary>Positions of a slot.</summary>
    public const int ContextTokens = 256;

    /// <summary>Of a completion; the time to the first of them is not counted.</summary>
    public const int Tokens = 100;

    /// <summary>Sequences decoded at once.</summary>
    public const int Sequences = 8;

    /// <summary>13 million weights: beyond the caches with F32, so that the memory's speed shows.</summary>
    public static SyntheticShape Shape { get; } =
        new("qwen3")
        {
            Layers = 4,
            Width = 512,
            Hidden = 1536,
            Heads = 8,
            KvHeads = 4,
            HeadWidth = 64,
            RotatedWidth = 64,
            ContextTokens = ContextTokens,
        };
}
