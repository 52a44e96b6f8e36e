using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>How trained weights are laid out elsewhere.</summary>
internal static class AdapterFloats
{
    /// <summary>Writes a tensor as it is.</summary>
    public static Action<Stream> AsIs(SafetensorsFile file, SafetensorsTensor tensor) =>
        stream => TrainedState.ForPieces(file, tensor, piece => stream.Write(MemoryMarshal.AsBytes(piece)));

    /// <summary>[rows, columns] as [columns, rows].</summary>
    public static float[] Transposed(ReadOnlySpan<float> values, int rows, int columns)
    {
        var turned = new float[values.Length];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                turned[(column * rows) + row] = values[(row * columns) + column];
        }
        return turned;
    }

    /// <summary>
    /// GGUF keeps the two numbers that a rotary angle turns beside each other, where the family's own files have all first
    /// ones of a head before all second ones. Takes rows from the former order into the latter.
    /// </summary>
    /// <param name="values">[heads × head size, columns].</param>
    public static float[] HalvesOfPairs(ReadOnlySpan<float> values, int headSize, int columns)
    {
        var ordered = new float[values.Length];
        var rows = values.Length / columns;
        for (var row = 0; row < rows; row++)
        {
            var (head, place) = Math.DivRem(row, headSize);
            var to = (head * headSize) + (place % 2 * (headSize / 2)) + (place / 2);
            values.Slice(row * columns, columns).CopyTo(ordered.AsSpan(to * columns));
        }
        return ordered;
    }
}
