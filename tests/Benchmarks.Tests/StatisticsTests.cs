using EgpuFleet.Benchmarks.Statistics;

namespace EgpuFleet.Benchmarks.Tests;

/// <summary>Median, spread and percentiles by hand-computed examples.</summary>
public sealed class StatisticsTests
{
    [Theory]
    [InlineData(new[] { 7.0 }, 7, 0)]
    [InlineData(new[] { 3.0, 1.0, 2.0 }, 2, 1)]
    [InlineData(new[] { 4.0, 1.0, 3.0, 2.0 }, 2.5, 1.2)]
    [InlineData(new[] { 0.0, 0.0 }, 0, 0)]
    public void Median_and_spread(double[] values, double median, double spread)
    {
        var series = new Series("figure", values);

        Assert.Equal(median, series.Median);
        Assert.Equal(spread, series.Spread, 12);
    }

    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.99, 99)]
    [InlineData(1, 100)]
    [InlineData(0.001, 1)]
    public void A_percentile_is_a_value_that_was_measured(double share, double expected) =>
        Assert.Equal(expected, Percentile.Of([.. Enumerable.Range(1, 100).Reverse().Select(i => (double)i)], share));

    [Fact]
    public void A_percentile_of_nothing_is_an_error() => Assert.Throws<ArgumentException>(() => Percentile.Of([], 0.5));
}
