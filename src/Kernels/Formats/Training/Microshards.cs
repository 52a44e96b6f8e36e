using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>A stretch of an epoch's order: samples <see cref="Start"/> up to <see cref="End"/> of the permutation.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct Microshard(int Start, int End)
{
    public int Samples => End - Start;
}

/// <summary>
/// Cuts an epoch into the parts that are leased to workers one at a time. A pure function of the number of samples, so
/// that every member of a run knows the same cut without being told.
/// </summary>
public static class Microshards
{
    /// <summary>
    /// Parts of <paramref name="atLeast"/> to twice as many samples less one, whose sizes differ by at most one; a single
    /// part where there are fewer.
    /// </summary>
    public static int Count(int samples, int atLeast)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(atLeast, 1);
        return Math.Max(1, samples / atLeast);
    }

    /// <summary>The part with a number, from 0 up to <paramref name="count"/>.</summary>
    public static Microshard Of(int samples, int count, int number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, count);
        return new Microshard(Border(samples, count, number), Border(samples, count, number + 1));
    }

    private static int Border(int samples, int count, int number) => (int)((long)samples * number / count);
}
