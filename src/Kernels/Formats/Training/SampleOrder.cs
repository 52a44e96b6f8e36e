namespace EgpuFleet.Kernels.Formats.Training;

/// <summary>
/// The order in which an epoch visits the samples: a pure function of seed and epoch. Fisher and Yates' shuffle, drawing
/// from SplitMix64 by Lemire's unbiased method; written out here, so that no runtime can change what a checkpoint resumes.
/// </summary>
public static class SampleOrder
{
    private const ulong Increment = 0x9E3779B97F4A7C15;

    /// <summary>Every index from 0 up to <paramref name="count"/> once.</summary>
    public static int[] Permutation(ulong seed, int epoch, int count)
    {
        // The epoch passes the mixer before it meets the seed: neighbouring seeds and epochs share no stream.
        var state = Mix(seed + Increment) ^ Mix(Mix((ulong)epoch + Increment));
        var order = Enumerable.Range(0, count).ToArray();
        for (var last = count - 1; last > 0; last--)
        {
            var chosen = Below((ulong)last + 1, ref state);
            (order[last], order[chosen]) = (order[chosen], order[last]);
        }
        return order;
    }

    private static int Below(ulong bound, ref ulong state)
    {
        var high = Math.BigMul(Next(ref state), bound, out var low);
        if (low < bound)
        {
            var unfair = (0 - bound) % bound;
            while (low < unfair)
                high = Math.BigMul(Next(ref state), bound, out low);
        }
        return (int)high;
    }

    private static ulong Next(ref ulong state) => Mix(state += Increment);

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
