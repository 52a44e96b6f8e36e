using System.Buffers.Binary;
using EgpuFleet.Kernels.Formats.Gguf;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>
/// Random weights in one of the formats, made in that format, with their exact values: what a quantised file says is
/// known without a quantiser.
/// </summary>
internal sealed class RandomMatrix
{
    /// <summary>Root mean square of an integer drawn evenly from −127 to 127.</summary>
    private const float Q8Spread = 73.3f;

    /// <summary>Root mean square of scale × (nibble − middle) with the scales drawn below.</summary>
    private const float Q4Spread = 197;

    /// <summary>Root mean square of a nibble − 8, drawn evenly.</summary>
    private const float Q40Spread = 4.64f;

    private const int SubBlocks = 8;
    private const int SubBlockItems = 32;
    private const float MiddleNibble = 7.5f;

    /// <summary>Minima are stored in steps of so many times the scales' step, so that 6 bits hold them.</summary>
    private const int MinimumStep = 8;

    private RandomMatrix(GgufTensorType type, int items)
    {
        Type = type;
        Values = new float[items];
        Bytes = new byte[items / type.BlockItems * type.BlockBytes];
    }

    public GgufTensorType Type { get; }

    /// <summary>As the file holds them.</summary>
    public byte[] Bytes { get; }

    /// <summary>What they mean.</summary>
    public float[] Values { get; }

    /// <param name="kind">F32 where a row is no whole number of the kind's blocks.</param>
    /// <param name="spread">Their standard deviation.</param>
    public static RandomMatrix Create(WeightKind kind, int rows, int columns, float spread, Random random)
    {
        var type = columns % kind.Type().BlockItems == 0 ? kind.Type() : GgufTensorType.F32;
        var matrix = new RandomMatrix(type, rows * columns);
        if (type == GgufTensorType.F32)
            matrix.FillF32(spread, random);
        for (var block = 0; type != GgufTensorType.F32 && block < matrix.Values.Length / type.BlockItems; block++)
        {
            var bytes = matrix.Bytes.AsSpan(block * type.BlockBytes, type.BlockBytes);
            var values = matrix.Values.AsSpan(block * type.BlockItems, type.BlockItems);
            if (type == WeightKind.Q8_0.Type())
                FillQ8(bytes, values, spread, random);
            else if (type == WeightKind.Q4_0.Type())
                FillQ40(bytes, values, spread, random);
            else
                FillQ4(bytes, values, spread, random);
        }
        return matrix;
    }

    /// <summary>Sets one row to zeros, which in all formats are zero bytes.</summary>
    public void ClearRow(int row, int rows)
    {
        Bytes.AsSpan(Bytes.Length / rows * row, Bytes.Length / rows).Clear();
        Values.AsSpan(Values.Length / rows * row, Values.Length / rows).Clear();
    }

    /// <summary>The same values as 32-bit floats.</summary>
    public RandomMatrix Dequantised()
    {
        var plain = new RandomMatrix(GgufTensorType.F32, Values.Length);
        for (var i = 0; i < Values.Length; i++)
            plain.Set(i, Values[i]);
        return plain;
    }

    /// <summary>A number of the normal distribution.</summary>
    public static float Normal(Random random)
    {
        var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
        return (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble()));
    }

    private void FillF32(float spread, Random random)
    {
        for (var i = 0; i < Values.Length; i++)
            Set(i, spread * Normal(random));
    }

    private void Set(int item, float value)
    {
        Values[item] = value;
        BinaryPrimitives.WriteSingleLittleEndian(Bytes.AsSpan(item * sizeof(float)), value);
    }

    /// <summary>A half d and 32 signed bytes: d × q.</summary>
    private static void FillQ8(Span<byte> bytes, Span<float> values, float spread, Random random)
    {
        var d = Around(spread / Q8Spread, random);
        BinaryPrimitives.WriteHalfLittleEndian(bytes, d);
        for (var i = 0; i < values.Length; i++)
        {
            var q = (sbyte)random.Next(-127, 128);
            bytes[2 + i] = (byte)q;
            values[i] = (float)d * q;
        }
    }

    /// <summary>A half d and 32 nibbles q, the first 16 of them low ones: d (q − 8).</summary>
    private static void FillQ40(Span<byte> bytes, Span<float> values, float spread, Random random)
    {
        var d = Around(spread / Q40Spread, random);
        BinaryPrimitives.WriteHalfLittleEndian(bytes, d);
        for (var i = 0; i < values.Length; i++)
        {
            var q = random.Next(16);
            bytes[2 + (i % 16)] |= (byte)(q << (i / 16 * 4));
            values[i] = (float)d * (q - 8);
        }
    }

    /// <summary>Halves d and m, eight 6-bit scales s and minima o in 12 bytes, 256 nibbles q: d s q − m o.</summary>
    private static void FillQ4(Span<byte> bytes, Span<float> values, float spread, Random random)
    {
        var d = Around(spread / Q4Spread, random);
        var m = (Half)(MinimumStep * (float)d);
        BinaryPrimitives.WriteHalfLittleEndian(bytes, d);
        BinaryPrimitives.WriteHalfLittleEndian(bytes[2..], m);
        Span<int> scales = stackalloc int[SubBlocks];
        Span<int> minima = stackalloc int[SubBlocks];
        for (var sub = 0; sub < SubBlocks; sub++)
        {
            scales[sub] = random.Next(20, 64);
            minima[sub] = (int)MathF.Round(scales[sub] * MiddleNibble / MinimumStep);
        }
        PackScales(bytes[4..16], scales, minima);
        for (var i = 0; i < values.Length; i++)
        {
            var (sub, q) = (i / SubBlockItems, random.Next(16));
            // Two sub-blocks share 32 bytes: the first has the low nibbles.
            bytes[16 + (sub / 2 * SubBlockItems) + (i % SubBlockItems)] |= (byte)(q << (sub % 2 * 4));
            values[i] = ((float)d * scales[sub] * q) - ((float)m * minima[sub]);
        }
    }

    /// <summary>The first four of each as 6 bits of a byte; the others as 4 bits, and their upper two above the first ones'.</summary>
    private static void PackScales(Span<byte> packed, ReadOnlySpan<int> scales, ReadOnlySpan<int> minima)
    {
        for (var sub = 0; sub < SubBlocks / 2; sub++)
        {
            var (scale, minimum) = (scales[sub + 4], minima[sub + 4]);
            packed[sub] = (byte)(scales[sub] | (scale >> 4 << 6));
            packed[sub + 4] = (byte)(minima[sub] | (minimum >> 4 << 6));
            packed[sub + 8] = (byte)((scale & 15) | ((minimum & 15) << 4));
        }
    }

    private static Half Around(float middle, Random random) => (Half)(middle * (0.8f + (0.4f * random.NextSingle())));
}
