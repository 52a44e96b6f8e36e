using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>What a run does at which step.</summary>
public sealed class TrainingPlanTests
{
    [Theory]
    [InlineData(100, 8, 0, 13)]
    [InlineData(96, 8, 0, 12)]
    [InlineData(3, 8, 0, 1)]
    [InlineData(100, 8, 5, 5)]
    [InlineData(100, 8, 500, 13)]
    public void Epochs_make_the_steps_unless_fewer_are_asked_for(long rows, int batchRows, long most, long steps) =>
        Assert.Equal(steps, TrainingPlan.StepsOf(rows, batchRows, most));

    [Fact]
    public void The_rate_climbs_to_its_peak_and_falls_along_half_a_cosine()
    {
        var plan = Plan(RateSchedule.Cosine, warmUp: 0.1, steps: 100);
        Assert.Equal(1e-4, plan.RateAt(0), 1e-12);
        Assert.Equal(1e-3, plan.RateAt(9), 1e-12);
        Assert.Equal(1e-3 * (0.05 + (0.95 * 0.5)), plan.RateAt(55), 1e-12);
    }

    [Fact]
    public void A_constant_rate_stays_where_it_is()
    {
        var plan = Plan(RateSchedule.Constant, warmUp: 0, steps: 10);
        Assert.All(Enumerable.Range(0, 10), step => Assert.Equal(1e-3, plan.RateAt(step)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(500)]
    [InlineData(100_000)]
    public void A_run_of_any_length_tells_its_first_and_last_step_and_a_bounded_number_between(long steps)
    {
        var plan = Plan(RateSchedule.Cosine, 0, steps);
        Assert.True(plan.NotesAfter(1));
        Assert.True(plan.NotesAfter(steps));
        var told = 0;
        for (var step = 1L; step <= steps; step++)
            told += plan.NotesAfter(step) ? 1 : 0;
        Assert.InRange(told, 1, Limits.MetricNotes + 2);
    }

    [Fact]
    public void The_validation_data_is_looked_at_regularly_and_at_the_end()
    {
        var plan = Plan(RateSchedule.Cosine, 0, steps: 25, evaluateEvery: 10);
        Assert.Equal([10L, 20, 25], Enumerable.Range(1, 25).Select(step => (long)step).Where(plan.EvaluatesAfter));
    }

    private static TrainingPlan Plan(RateSchedule schedule, double warmUp, long steps, int evaluateEvery = 50) =>
        new(new OptimizerParameters(1e-3, warmUp, schedule, 0, 1), steps, evaluateEvery);
}
