using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>How often a run is saved.</summary>
public sealed class CheckpointPaceTests
{
    private static readonly TimeSpan Ceiling = TimeSpan.FromSeconds(60);

    [Fact]
    public void What_costs_nothing_is_done_often_but_not_all_the_time() =>
        Assert.Equal(Limits.LeastCheckpointInterval, new CheckpointPace(Ceiling).Interval);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(20, 100)]
    [InlineData(300, 900)]
    [InlineData(1_500, 4_000)]
    public void Training_never_stands_still_for_more_than_its_share(int stall, int whole)
    {
        var pace = new CheckpointPace(Ceiling);
        pace.Took(TimeSpan.FromMilliseconds(stall), TimeSpan.FromMilliseconds(whole));
        Assert.True(stall / pace.Interval.TotalMilliseconds <= Limits.CheckpointStallShare + 1e-9);
        Assert.InRange(pace.Interval, Limits.LeastCheckpointInterval, Ceiling);
    }

    [Fact]
    public void It_is_youngs_optimum_between_the_bounds()
    {
        var pace = new CheckpointPace(Ceiling);
        pace.Took(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200));
        Assert.Equal(Math.Sqrt(2 * 0.05 * Limits.MeanTimeToFailure.TotalSeconds), pace.Interval.TotalSeconds, 1e-6);
    }

    [Theory]
    [InlineData(10, 20, 60)]
    [InlineData(10, 50, 100)]
    [InlineData(0.5, 59, 118)]
    public void The_promise_holds_for_a_loss_just_before_the_next_one_is_durable(double stall, double whole, int lost)
    {
        var pace = new CheckpointPace(Ceiling);
        pace.Took(TimeSpan.FromSeconds(stall), TimeSpan.FromSeconds(whole));
        Assert.InRange(pace.Interval.TotalSeconds + whole, whole, lost);
    }
}
