using EgpuFleet.Kernels.Tests.Models;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>What is measured.</summary>
internal static class EngineSizes
{
    /// <summary>In tinygrad's words; llama.cpp has no other here.</summary>
    public const string Device = "CPU";

    /// <summary>Positions of a slot.</summary>
    public const int ContextTokens = 256;

    /// <summary>Of a completion; the time to the first of them is not counted.</summary>
    public const int Tokens = 100;

    /// <summary>Of a prompt before a completion.</summary>
    public const int PromptTokens = 8;

    /// <summary>Of a prompt that is timed by itself: whole chunks, and the token that is decoded.</summary>
    public const int LongPromptTokens = 129;

    /// <summary>Sequences decoded at once.</summary>
    public const int Sequences = 8;

    public static WeightKind[] Kinds { get; } = [WeightKind.F32, WeightKind.Q8_0, WeightKind.Q4_K];

    /// <summary>13 million weights: 51 MB as F32, far more than the second-level cache of a core.</summary>
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

    /// <summary>Rounds whose prompts begin differently.</summary>
    public const int RoundsMax = 100;

    /// <summary>Ids of a prompt; no two rounds begin alike, so that nobody can use what it kept of the last.</summary>
    /// <param name="sequence">Told apart by their last token.</param>
    public static int[] Prompt(int tokens, int round, int sequence = 0) =>
        [1 + (round % (2 * RoundsMax)), .. Enumerable.Range(11, tokens - 2), 17 + sequence];
}
