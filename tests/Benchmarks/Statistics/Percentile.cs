namespace EgpuFleet.Benchmarks.Statistics;

/// <summary>Percentiles by nearest rank: always a value that was measured.</summary>
internal static class Percentile
{
    /// <param name="values">At least one, in any order; sorted in place.</param>
    /// <param name="share">Above 0, up to 1.</param>
    public static double Of(double[] values, double share)
    {
        if (values.Length == 0)
            throw new ArgumentException("Nothing was measured.", nameof(values));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        Array.Sort(values);
        return values[(int)Math.Ceiling(values.Length * share) - 1];
    }
}
