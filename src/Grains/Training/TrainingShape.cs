using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Training;

/// <summary>How a run trains, as far as memory goes.</summary>
/// <param name="Engine"><c>torch</c> keeps 32-bit weights and all activations; <c>tinygrad</c> the weights as they are stored, and computes activations again.</param>
/// <param name="Rank">Of the adapters; 0 where all weights are trained.</param>
/// <param name="RowTokens">Positions of a row.</param>
/// <param name="RowsPerPass">Rows computed at once.</param>
public sealed record TrainingWay(TrainingMethod Method, string Engine, int Rank, int RowTokens, int RowsPerPass);

/// <summary>The widths of a model that the memory of training follows from.</summary>
/// <param name="Parameters">All weights.</param>
/// <param name="StoredBits">Of a weight as it is stored.</param>
/// <param name="KeyRows">Outputs of the matrix of keys.</param>
public sealed record TrainingShape(
    long Parameters,
    double StoredBits,
    int Layers,
    int Width,
    int FeedForward,
    int KeyRows
)
{
    /// <summary>The engine that trains adapters over weights as they are stored, and computes activations again.</summary>
    public const string RecomputingEngine = "tinygrad";

    private const int TrainedCopies = 4;

    /// <summary>Logits of a piece of the positions, their gradients and what is between, as the engines bound them.</summary>
    private const long HeadBytes = 256L << 20;

    /// <summary>
    /// About what training takes, adapters beside all seven matrices of a block: an engine that looks at the model knows it
    /// better, and its word counts.
    /// </summary>
    public long MemoryBytes(TrainingWay way)
    {
        ArgumentNullException.ThrowIfNull(way);
        var recomputes = way.Engine == RecomputingEngine;
        var weights =
            way.Method == TrainingMethod.Full ? (double)Parameters * TrainingMemory.BytesPerTrainedWeight
            : recomputes ? Parameters * StoredBits / 8
            : (double)Parameters * sizeof(float);
        double width = Width;
        var adapter =
            (double)Layers * way.Rank * ((2 * 2 * width) + (2 * (width + KeyRows)) + (3 * (width + FeedForward)));
        var positions = (double)way.RowTokens * way.RowsPerPass;
        var block = positions * ((20 * width) + (12.0 * KeyRows) + (8.0 * FeedForward) + (21.0 * way.Rank));
        var heads = Math.Max(1, Width / TrainableSize.HeadWidth);
        var scores = recomputes ? 6.0 * way.RowsPerPass * heads * way.RowTokens * way.RowTokens : 0;
        var activations = (positions * (Layers + 2) * width) + (block * (recomputes ? 1 : Layers)) + scores;
        var bytes = weights + (sizeof(float) * ((TrainedCopies * adapter) + activations)) + HeadBytes;
        return (long)Math.Min(bytes, long.MaxValue / 2);
    }
}
