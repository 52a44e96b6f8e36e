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

    [Fact]
    public void The_promise_comes_first_and_grows_with_what_a_checkpoint_takes()
    {
        var pace = new CheckpointPace(Ceiling);
        pace.Took(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(20));
        Assert.Equal(Ceiling, pace.Interval);
        pace.Took(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(50));
        Assert.Equal(TimeSpan.FromSeconds(100), pace.Interval);
    }
}
