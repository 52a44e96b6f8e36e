namespace EgpuFleet.Kernels.Training;

/// <summary>The largest usual model that can be trained in so much memory: before there is a model to ask an engine about.</summary>
/// <remarks>
/// Models are taken to be shaped as the published Llamas: layers × 128 wide, a feed-forward part of 3.5 times the width, a
/// fourth of the heads for keys and values, 128,256 tokens with an output matrix of its own. The memory is that of the
/// tinygrad engine: weights as they are stored, adapters beside all seven matrices of a block in 32-bit floats with
/// gradients and two moments, inputs of every layer kept and the rest computed again.
/// </remarks>
/// <param name="Parameters">Weights of the model; 0: none fits.</param>
/// <param name="Layers">Of the model.</param>
/// <param name="MemoryBytes">What training it takes.</param>
public sealed record TrainableSize(long Parameters, int Layers, long MemoryBytes)
{
    /// <summary>Bits of a weight as Q4_0 and Q4_K store it, its share of the scales included.</summary>
    public const double FourBits = 4.5;

    private const int MostLayers = 256;
    private const int HeadWidth = 128;
    private const int Vocabulary = 128_256;
    private const int TrainedCopies = 4;

    /// <summary>Logits of a piece of the positions, their gradients and what is between, as the engine bounds them.</summary>
    private const long HeadBytes = 256L << 20;

    /// <param name="availableBytes">Of the device.</param>
    /// <param name="bitsPerWeight">As the base is stored.</param>
    /// <param name="rank">Of the adapters.</param>
    /// <param name="rowTokens">Positions of a row.</param>
    /// <param name="rowsPerPass">Rows computed at once.</param>
    public static TrainableSize Largest(
        long availableBytes,
        double bitsPerWeight,
        int rank,
        int rowTokens,
        int rowsPerPass
    )
    {
        var largest = new TrainableSize(0, 0, 0);
        for (var layers = 1; layers <= MostLayers; layers++)
        {
            var size = Of(layers, bitsPerWeight, rank, rowTokens, rowsPerPass);
            if (size.MemoryBytes > availableBytes)
                break;
            largest = size;
        }
        return largest;
    }

    private static TrainableSize Of(int layers, double bitsPerWeight, int rank, int rowTokens, int rowsPerPass)
    {
        double width = layers * HeadWidth;
        var (hidden, keys, positions) = (3.5 * width, width / 4, (double)rowTokens * rowsPerPass);
        // Queries and output, keys and values, the three of the feed-forward part.
        var block = (2 * width * width) + (2 * width * keys) + (3 * width * hidden);
        var parameters = (layers * block) + (2 * Vocabulary * width);
        var adapter = layers * rank * ((2 * 2 * width) + (2 * (width + keys)) + (3 * (width + hidden)));
        var scores = (double)rowsPerPass * layers * rowTokens * rowTokens;
        // Inputs of the layers; of one layer what is kept and what its two passes work in.
        var activations =
            (positions * (((layers + 2) * width) + (20 * width) + (12 * keys) + (8 * hidden) + (21 * rank)))
            + (6 * scores);
        var bytes =
            (parameters * bitsPerWeight / 8) + (sizeof(float) * ((TrainedCopies * adapter) + activations)) + HeadBytes;
        return new((long)parameters, layers, (long)bytes);
    }
}
