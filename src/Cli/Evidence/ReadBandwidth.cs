using System.Numerics;
using System.Runtime.InteropServices;

namespace EgpuFleet.Cli.Evidence;

/// <summary>How fast this machine's processor reads its memory, all threads together.</summary>
internal static class ReadBandwidth
{
    // Far beyond any cache.
    private const int Floats = 64 << 20;

    private const int Rounds = 5;

    /// <summary>Bytes a second; the best of several rounds, so that neighbours count less.</summary>
    public static double Measure(TimeProvider clock)
    {
        var numbers = new float[Floats];
        Array.Fill(numbers, 1f);
        var part = Floats / Environment.ProcessorCount;
        var best = 0.0;
        for (var round = 0; round < Rounds; round++)
        {
            var started = clock.GetTimestamp();
            var sum = Enumerable
                .Range(0, Environment.ProcessorCount)
                .AsParallel()
                .WithDegreeOfParallelism(Environment.ProcessorCount)
                .Sum(thread => Sum(numbers.AsSpan(thread * part, part)));
            var seconds = clock.GetElapsedTime(started).TotalSeconds;
            // The sum is looked at, so that it is computed.
            if (sum > 0)
                best = Math.Max(best, (double)part * Environment.ProcessorCount * sizeof(float) / seconds);
        }
        return best;
    }

    private static double Sum(ReadOnlySpan<float> numbers)
    {
        var (first, second, third, fourth) = (
            Vector<float>.Zero,
            Vector<float>.Zero,
            Vector<float>.Zero,
            Vector<float>.Zero
        );
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(numbers);
        // Four sums at once: memory shall be what is waited for.
        for (var i = 0; i + 3 < vectors.Length; i += 4)
        {
            first += vectors[i];
            second += vectors[i + 1];
            third += vectors[i + 2];
            fourth += vectors[i + 3];
        }
        return Vector.Sum(first + second + third + fourth);
    }
}
