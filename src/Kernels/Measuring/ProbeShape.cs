using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Measuring;

/// <summary>A stack of equal transformer blocks, as wide as those of a real model, to be timed.</summary>
/// <param name="Hidden">Width of the hidden state, a multiple of 1024: 1024 is a model of 0.5 billion weights, 8192 one of 70.</param>
/// <param name="FeedForward">Width inside the feed-forward block, a multiple of 256.</param>
/// <param name="Blocks">How many blocks.</param>
/// <param name="Kind">How the matrices are stored.</param>
public sealed record ProbeShape(int Hidden, int FeedForward, int Blocks, WeightKind Kind)
{
    /// <summary>Tokens of the vocabulary: few, so that the blocks are what is timed.</summary>
    public const int Vocabulary = 512;

    internal const int HeadSize = 128;

    public int Heads => Hidden / HeadSize;

    /// <summary>A quarter of the heads, as in most models of today.</summary>
    public int KvHeads => Heads / 4;

    /// <summary>Weights that one token is multiplied with.</summary>
    public long ActiveWeights
    {
        get
        {
            var attention = (2L * Hidden * Hidden) + (2L * Hidden * KvHeads * HeadSize);
            return (Blocks * (attention + (3L * Hidden * FeedForward))) + ((long)Vocabulary * Hidden);
        }
    }

    /// <summary>Bytes that one decoded token reads.</summary>
    public long ActiveBytes
    {
        get
        {
            var type = WeightKinds.TypeOf(Kind);
            return ActiveWeights / type.BlockItems * type.BlockBytes;
        }
    }

    /// <summary>Multiplications and additions of one token.</summary>
    public double FlopsPerToken => 2.0 * ActiveWeights;

    /// <summary>
    /// Shapes that tell a fixed cost from one per block and one per byte: few blocks against many, narrow against wide.
    /// </summary>
    public static IReadOnlyList<ProbeShape> Quick(WeightKind kind) =>
        [new(1024, 2816, 1, kind), new(1024, 2816, 4, kind), new(2048, 5632, 2, kind)];

    /// <summary>The quick ones and blocks of models of 8 and of 70 billion weights.</summary>
    public static IReadOnlyList<ProbeShape> Full(WeightKind kind) =>
        [.. Quick(kind), new(4096, 14_336, 1, kind), new(8192, 28_672, 1, kind)];
}
