namespace EgpuFleet.Benchmarks.Statistics;

/// <summary>One figure over all runs.</summary>
/// <param name="Values">One per run, at least one.</param>
internal sealed record Series(string Name, IReadOnlyList<double> Values)
{
    public double Min => Values.Min();

    public double Max => Values.Max();

    /// <summary>The middle value; of an even number, the mean of the two in the middle.</summary>
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToArray();
            var middle = sorted.Length / 2;
            return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        }
    }

    /// <summary>Distance of the largest from the smallest, as a share of the median; 0 where that is 0.</summary>
    public double Spread => Median == 0 ? 0 : (Max - Min) / Median;
}
