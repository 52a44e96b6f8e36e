using System.Runtime.InteropServices;

namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>
/// Values of a difference as bytes, little-endian. What a coarse encoding loses of a value is added to the same value the
/// next time (error feedback): <c>lost</c> holds it, zeros at first, and is the writer's to keep.
/// </summary>
public static class DeltaCodec
{
    private const float Largest = 127;

    /// <param name="target">Two bytes a value.</param>
    public static void EncodeHalves(ReadOnlySpan<float> values, Span<float> lost, Span<byte> target)
    {
        var halves = MemoryMarshal.Cast<byte, Half>(target);
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i] + lost[i];
            halves[i] = (Half)value;
            lost[i] = Remainder(value, (float)halves[i]);
        }
    }

    public static void DecodeHalves(ReadOnlySpan<byte> source, Span<float> values)
    {
        var halves = MemoryMarshal.Cast<byte, Half>(source);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)halves[i];
    }

    /// <summary>One row; a value that is no number makes the scale none, and with it every value of the row.</summary>
    /// <returns>Its scale.</returns>
    public static float EncodeRow(ReadOnlySpan<float> values, Span<float> lost, Span<byte> target)
    {
        var most = 0f;
        for (var i = 0; i < values.Length; i++)
            most = Math.Max(most, Math.Abs(values[i] + lost[i]));
        var scale = most / Largest;
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i] + lost[i];
            var steps =
                scale > 0 && float.IsFinite(scale)
                    ? (sbyte)Math.Round(Math.Clamp(value / scale, -Largest, Largest))
                    : (sbyte)0;
            target[i] = unchecked((byte)steps);
            lost[i] = Remainder(value, steps * scale);
        }
        return scale;
    }

    public static void DecodeRow(ReadOnlySpan<byte> source, float scale, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = unchecked((sbyte)source[i]) * scale;
    }

    /// <summary>A value that is no number is told to the reader once, not for ever.</summary>
    private static float Remainder(float value, float written)
    {
        var rest = value - written;
        return float.IsFinite(rest) ? rest : 0;
    }
}
