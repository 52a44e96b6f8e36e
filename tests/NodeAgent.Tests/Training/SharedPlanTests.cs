using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Kernels.Formats.Training;
using EgpuFleet.NodeAgent.Training.Shared;
using Microshards = EgpuFleet.Grains.Interfaces.Training.Microshards;
using TrainingFile = EgpuFleet.Grains.Interfaces.Training.TrainingFile;

namespace EgpuFleet.NodeAgent.Tests.Training;

/// <summary>What the members of a shared run work on, and where they are in its schedule.</summary>
public sealed class SharedPlanTests
{
    private static readonly DataParallelParameters Wished = new(2, 10, 600, 1, 0, DeltaEncoding.F16);

    [Theory]
    [InlineData(1)]
    [InlineData(37)]
    [InlineData(500)]
    public void The_microshards_of_an_epoch_hold_each_token_that_is_learnt_once(int samples)
    {
        var rows = Rows(samples, epochs: 2);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var learnt = Enumerable
                .Range(epoch * rows.Cut.PerEpoch, rows.Cut.PerEpoch)
                .SelectMany(rows.Batches)
                .SelectMany(batch => batch.Targets)
                .Where(token => token > 0)
                .Order()
                .ToArray();
            // Each sample is two tokens of its own, of which the second is learnt.
            Assert.Equal(Enumerable.Range(0, samples).Select(sample => (2 * sample) + 2), learnt);
        }
    }

    [Fact]
    public void Steps_are_counted_as_they_are_made()
    {
        var rows = Rows(100, epochs: 3);

        Assert.Equal(Enumerable.Range(0, rows.Cut.Count).Sum(one => rows.Batches(one).Count()), rows.CountSteps());
    }

    [Fact]
    public void A_member_takes_its_steps_and_at_the_end_no_more_than_its_part()
    {
        var plan = new SharedPlan(Wished, steps: 400, microshards: 80, evaluateEverySteps: 50);

        Assert.Equal(2, plan.Share(Round(free: 80, applied: 0, [0, 1])));
        Assert.Equal(1, plan.Share(Round(free: 2, applied: 78, [0, 1])));
        Assert.Equal(2, plan.Share(Round(free: 2, applied: 78, [1])));
        Assert.Equal(1, plan.Share(Round(free: 1, applied: 76, [0, 1, 2])));
    }

    [Fact]
    public void The_schedule_goes_on_by_the_steps_of_all_members_and_ends_with_the_run()
    {
        var plan = new SharedPlan(Wished, steps: 400, microshards: 80, evaluateEverySteps: 50);

        Assert.Equal(0, plan.Place(Round(80, 0, [0, 1]), 0));
        Assert.Equal(56, plan.Place(Round(60, 10, [0, 1]), 3));
        Assert.Equal(399, plan.Place(Round(1, 79, [0, 1]), 50));
    }

    [Fact]
    public void A_base_is_looked_at_when_so_many_steps_have_passed_and_at_the_end()
    {
        var plan = new SharedPlan(Wished, steps: 400, microshards: 80, evaluateEverySteps: 50);

        Assert.False(plan.Evaluates(Round(80, 0, [0]) with { Figures = [] }));
        Assert.False(plan.Evaluates(Round(70, 9, [0])));
        Assert.True(plan.Evaluates(Round(70, 10, [0])));
        Assert.False(plan.Evaluates(Round(70, 12, [0])));
        Assert.True(plan.Evaluates(Round(0, 79, [0]) with { Phase = RoundPhase.Finished }));
    }

    /// <summary>After a round that applied two microshards.</summary>
    private static RoundNow Round(int free, int applied, int[] members) =>
        new(
            5,
            RoundPhase.Open,
            "base",
            "checkpoint",
            60,
            [],
            free > 0,
            new RoundTerms(new Microshards(80, 1, 1)),
            free,
            applied,
            members,
            [new RoundFigures(4, 100, 500, 2, 2, 0, 2)]
        );

    private static SharedRows Rows(int samples, int epochs)
    {
        TokenSample[] all =
        [
            .. Enumerable
                .Range(0, samples)
                .Select(sample => new TokenSample([(2 * sample) + 1, (2 * sample) + 2], [0, 1])),
        ];
        var parameters = new TrainParameters(
            TrainingMethod.Full,
            null,
            new TrainingFile("file", "hash", 1),
            null,
            epochs,
            0,
            BatchRows: 2,
            RowTokens: 8,
            new OptimizerParameters(1e-3, 0, RateSchedule.Constant, 0, 1),
            Seed: 3,
            "result"
        );
        return new SharedRows(all, parameters, Wished);
    }
}
