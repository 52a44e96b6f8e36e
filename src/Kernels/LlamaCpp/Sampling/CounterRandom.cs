namespace EgpuFleet.Kernels.LlamaCpp.Sampling;

/// <summary>
/// Random numbers without state: one for each (seed, index), by two rounds of the SplitMix64 finaliser. What a sequence draws
/// does therefore not depend on which other sequences share its batch, nor on where it was resumed.
/// </summary>
internal static class CounterRandom
{
    private const ulong Increment = 0x9E3779B97F4A7C15;

    /// <summary>Uniform over [0, 1) with 53 bits.</summary>
    public static double NextDouble(ulong seed, int index)
    {
        var counter = unchecked(Mix(seed + Increment) + (((ulong)(uint)index + 1) * Increment));
        return (Mix(counter) >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }
}
