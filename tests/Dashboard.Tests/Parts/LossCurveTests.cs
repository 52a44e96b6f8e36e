using EgpuFleet.Dashboard.FineTuning;

namespace EgpuFleet.Dashboard.Tests.Parts;

public sealed class LossCurveTests
{
    [Fact]
    public void Lines_go_from_the_first_step_to_the_last_and_lower_losses_are_lower()
    {
        var curve = LossCurve.Of([new(1, 8, null), new(50, 4, 5), new(100, 2, 3)], 200);

        Assert.Equal(["0.5", "25", "50"], curve.Training.Split(' ').Select(point => point.Split(',')[0]));
        var heights = curve.Training.Split(' ').Select(point => double.Parse(point.Split(',')[1])).ToArray();
        Assert.Equal(heights.Order(), heights);
        Assert.Equal(2, curve.Validation.Split(' ').Length);
        Assert.Equal(["0", "50", "100", "150", "200"], curve.Steps.Select(tick => tick.Label));
        Assert.Equal(["2", "4", "6", "8"], curve.Losses.Select(tick => tick.Label));
        Assert.All(curve.Losses, tick => Assert.InRange(tick.Percent, 0, 100));
    }

    [Theory]
    [InlineData(3.0)]
    [InlineData(0.0)]
    [InlineData(1e9)]
    public void One_point_is_a_curve_too(double loss)
    {
        var curve = LossCurve.Of([new(1, loss, null)], null);

        Assert.DoesNotContain("NaN", curve.Training, StringComparison.Ordinal);
        Assert.Equal("", curve.Validation);
        Assert.InRange(curve.Losses.Count, 0, 6);
    }
}
