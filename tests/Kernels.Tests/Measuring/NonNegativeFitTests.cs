using EgpuFleet.Kernels.Measuring;

namespace EgpuFleet.Kernels.Tests.Measuring;

public sealed class NonNegativeFitTests
{
    [Fact]
    public void Costs_that_explain_the_measurements_are_found()
    {
        var random = new Random(1);
        for (var round = 0; round < 200; round++)
        {
            double[] costs = [random.NextDouble() * 1e-3, random.NextDouble() * 1e-4, random.NextDouble() * 1e-10];
            var features = Enumerable
                .Range(0, 3 + random.Next(5))
                .Select(i => new[] { 1.0, 1 + i, 1e6 * (1 + (i * i)) * (1 + random.NextDouble()) })
                .ToList();

            var found = NonNegativeFit.Solve(features, [.. features.Select(row => Sum(row, costs))]);

            Assert.All(costs.Zip(found), pair => Assert.Equal(1, pair.Second / pair.First, 1e-4));
        }
    }

    [Fact]
    public void No_cost_is_negative_and_no_single_change_comes_closer()
    {
        var random = new Random(2);
        for (var round = 0; round < 200; round++)
        {
            var features = Enumerable.Range(0, 4).Select(i => new[] { 1.0, 1 + i, 1e6 * random.NextDouble() }).ToList();
            double[] measured = [.. features.Select(_ => 1e-3 * (0.1 + random.NextDouble()))];

            var found = NonNegativeFit.Solve(features, measured);

            Assert.All(found, cost => Assert.True(cost >= 0));
            var error = Error(features, measured, found);
            for (var i = 0; i < found.Length; i++)
            {
                foreach (var step in (double[])[-1e-3, 1e-3])
                {
                    double[] other = [.. found];
                    other[i] = Math.Max(0, other[i] + (step * 1e-3 / features.Max(row => row[i])));
                    Assert.True(Error(features, measured, other) >= error - 1e-12);
                }
            }
        }
    }

    private static double Sum(double[] row, double[] costs) => row.Zip(costs, (feature, cost) => feature * cost).Sum();

    private static double Error(IReadOnlyList<double[]> features, double[] measured, double[] costs) =>
        features.Zip(measured, (row, time) => Math.Pow((Sum(row, costs) / time) - 1, 2)).Sum();
}
