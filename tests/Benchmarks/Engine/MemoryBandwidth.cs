using System.Numerics;

namespace EgpuFleet.Benchmarks.Engine;

/// <summary>How fast the processors together read memory: no decode of one sequence reads its weights faster.</summary>
internal sealed class MemoryBandwidth(TimeProvider clock)
{
    // 512 MiB: more than the last-level cache of any processor that this runs on.
    private const int Floats = 128 << 20;
    private const double Giga = 1e9;

    private readonly float[] _values = [.. Enumerable.Repeat(1f, Floats)];

    /// <summary>Billions of bytes a second.</summary>
    public double Measure()
    {
        var parts = Environment.ProcessorCount;
        var sums = new float[parts];
        var begun = clock.GetTimestamp();
        Parallel.For(0, parts, part => sums[part] = Sum(_values.AsSpan(Floats / parts * part, Floats / parts)));
        var seconds = clock.GetElapsedTime(begun).TotalSeconds;
        if (sums.Any(sum => sum == 0))
            throw new InvalidOperationException("Nothing was read.");
        return _values.LongLength * sizeof(float) / seconds / Giga;
    }

    private static float Sum(ReadOnlySpan<float> part)
    {
        // Four sums, so that reading and not adding is what takes the time.
        var (a, b, c, d) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        var width = Vector<float>.Count;
        for (var at = 0; at + (4 * width) <= part.Length; at += 4 * width)
        {
            a += new Vector<float>(part[at..]);
            b += new Vector<float>(part[(at + width)..]);
            c += new Vector<float>(part[(at + (2 * width))..]);
            d += new Vector<float>(part[(at + (3 * width))..]);
        }
        return Vector.Sum(a + b + c + d);
    }
}
