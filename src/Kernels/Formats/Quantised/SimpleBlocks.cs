using System.Buffers.Binary;

namespace EgpuFleet.Kernels.Formats.Quantised;

/// <summary>
/// Blocks of 32 numbers with one scale d, some with a minimum m. Of two numbers in a byte the low one is in the first half of
/// the block, the high one as far on in the second.
/// </summary>
internal static class SimpleBlocks
{
    private const int Half = 16;

    /// <summary>d, 16 bytes of nibbles: d (q − 8).</summary>
    public static void Q4Zero(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Float(block);
        for (var i = 0; i < Half; i++)
        {
            var pair = block[2 + i];
            values[i] = ((pair & 15) - 8) * d;
            values[i + Half] = ((pair >> 4) - 8) * d;
        }
    }

    /// <summary>d, m, 16 bytes of nibbles: d q + m.</summary>
    public static void Q4One(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, m) = (Float(block), Float(block[2..]));
        for (var i = 0; i < Half; i++)
        {
            var pair = block[4 + i];
            values[i] = ((pair & 15) * d) + m;
            values[i + Half] = ((pair >> 4) * d) + m;
        }
    }

    /// <summary>d, 32 fifth bits, 16 bytes of nibbles: d (q − 16).</summary>
    public static void Q5Zero(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Float(block);
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[2..]);
        for (var i = 0; i < Half; i++)
        {
            var pair = block[6 + i];
            values[i] = (((pair & 15) | Fifth(high, i)) - 16) * d;
            values[i + Half] = (((pair >> 4) | Fifth(high, i + Half)) - 16) * d;
        }
    }

    /// <summary>d, m, 32 fifth bits, 16 bytes of nibbles: d q + m.</summary>
    public static void Q5One(ReadOnlySpan<byte> block, Span<float> values)
    {
        var (d, m) = (Float(block), Float(block[2..]));
        var high = BinaryPrimitives.ReadUInt32LittleEndian(block[4..]);
        for (var i = 0; i < Half; i++)
        {
            var pair = block[8 + i];
            values[i] = (((pair & 15) | Fifth(high, i)) * d) + m;
            values[i + Half] = (((pair >> 4) | Fifth(high, i + Half)) * d) + m;
        }
    }

    /// <summary>d, 32 signed bytes: d q.</summary>
    public static void Q8Zero(ReadOnlySpan<byte> block, Span<float> values)
    {
        var d = Float(block);
        for (var i = 0; i < 2 * Half; i++)
            values[i] = (sbyte)block[2 + i] * d;
    }

    private static int Fifth(uint bits, int item) => (int)((bits >> item) & 1) << 4;

    private static float Float(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);
}
