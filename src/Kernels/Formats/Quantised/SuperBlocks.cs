using System.Buffers.Binary;

namespace EgpuFleet.Kernels.Formats.Quantised;

/// <summary>Blocks of 256 numbers in sub-blocks, whose scales are quantised too.</summary>
internal static class SuperBlocks
{
    private const int Items = 256;
    private const int Run = 32;

    /// <summary>Halves d and m, eight 6-bit scales s and minima o in 12 bytes, 256 nibbles q: d s q − m o.</summary>
    public static void Q4(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (var sub = 0; sub < Items / Run; sub++)
        {
            var (scale, minimum) = Scales(block, sub);
            // Two sub-blocks share 32 bytes: the first has the low nibbles.
            var bytes = block.Slice(16 + (sub / 2 * Run), Run);
            var shift = sub % 2 * 4;
            for (var i = 0; i < Run; i++)
                values[(sub * Run) + i] = (scale * ((bytes[i] >> shift) & 15)) - minimum;
        }
    }

    /// <summary>As <see cref="Q4"/>, with the fifth bits of all sub-blocks in 32 bytes, one bit of each byte for one sub-block.</summary>
    public static void Q5(ReadOnlySpan<byte> block, Span<float> values)
    {
        var fifths = block.Slice(16, Run);
        for (var sub = 0; sub < Items / Run; sub++)
        {
            var (scale, minimum) = Scales(block, sub);
            var bytes = block.Slice(16 + Run + (sub / 2 * Run), Run);
            var shift = sub % 2 * 4;
            for (var i = 0; i < Run; i++)
            {
                var q = ((bytes[i] >> shift) & 15) | (((fifths[i] >> sub) & 1) << 4);
                values[(sub * Run) + i] = (scale * q) - minimum;
            }
        }
    }

    /// <summary>128 bytes of low nibbles, 64 of upper pairs of bits, 16 signed scales s, a half d: d s (q − 32).</summary>
    public static void Q6(ReadOnlySpan<byte> block, Span<float> values)
    {
        const int Half = 128;
        var d = Float(block[208..]);
        for (var half = 0; half < 2; half++)
        {
            var low = block.Slice(half * 64, 64);
            var high = block.Slice(Half + (half * Run), Run);
            var scales = block.Slice(192 + (half * 8), 8);
            var part = values.Slice(half * Half, Half);
            for (var i = 0; i < Run; i++)
            {
                for (var run = 0; run < 4; run++)
                {
                    var nibble = (low[i + (run % 2 * Run)] >> (run / 2 * 4)) & 15;
                    var q = (nibble | (((high[i] >> (2 * run)) & 3) << 4)) - 32;
                    part[(run * Run) + i] = d * (sbyte)scales[(i / 16) + (2 * run)] * q;
                }
            }
        }
    }

    /// <summary>The first four of each are 6 bits of a byte; the others 4 bits, with their upper two above the first ones'.</summary>
    private static (float Scale, float Minimum) Scales(ReadOnlySpan<byte> block, int sub)
    {
        var packed = block.Slice(4, 12);
        var (scale, minimum) =
            sub < 4
                ? (packed[sub] & 63, packed[sub + 4] & 63)
                : (
                    (packed[sub + 4] & 15) | (packed[sub - 4] >> 6 << 4),
                    (packed[sub + 4] >> 4) | (packed[sub] >> 6 << 4)
                );
        return (Float(block) * scale, Float(block[2..]) * minimum);
    }

    private static float Float(ReadOnlySpan<byte> bytes) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes);
}
