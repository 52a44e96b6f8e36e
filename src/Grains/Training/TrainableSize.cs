namespace EgpuFleet.Grains.Training;

/// <summary>The largest usual model that can be trained in so much memory: before there is a model to ask an engine about.</summary>
/// <remarks>
/// Models are taken to be shaped as the published Llamas: layers × 128 wide, a feed-forward part of 3.5 times the width, a
/// fourth of the heads for keys and values, 128,256 tokens with an output matrix of its own.
/// </remarks>
/// <param name="Parameters">Weights of the model; 0: none fits.</param>
/// <param name="Layers">Of the model.</param>
/// <param name="MemoryBytes">What training it takes.</param>
public sealed record TrainableSize(long Parameters, int Layers, long MemoryBytes)
{
    /// <summary>Bits of a weight as Q4_0 and Q4_K store it, its share of the scales included.</summary>
    public const double FourBits = 4.5;

    internal const int HeadWidth = 128;

    private const int MostLayers = 256;
    private const int Vocabulary = 128_256;

    /// <param name="availableBytes">Of the device.</param>
    /// <param name="storedBits">Of a weight of the base.</param>
    public static TrainableSize Largest(long availableBytes, double storedBits, TrainingWay way)
    {
        var largest = new TrainableSize(0, 0, 0);
        for (var layers = 1; layers <= MostLayers; layers++)
        {
            var shape = Usual(layers, storedBits);
            var bytes = shape.MemoryBytes(way);
            if (bytes > availableBytes)
                break;
            largest = new TrainableSize(shape.Parameters, layers, bytes);
        }
        return largest;
    }

    private static TrainingShape Usual(int layers, double storedBits)
    {
        var width = layers * HeadWidth;
        var (feedForward, keys) = (width * 7 / 2, width / 4);
        // Queries and output, keys and values, the three of the feed-forward part.
        var block = (2L * width * width) + (2L * width * keys) + (3L * width * feedForward);
        return new TrainingShape(
            (layers * block) + (2L * Vocabulary * width),
            storedBits,
            layers,
            width,
            feedForward,
            keys
        );
    }
}
