using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.FineTuning;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>What a run takes over of the one whose checkpoint it begins with.</summary>
public sealed class StartingPointTests
{
    private const long Seed = 7;

    private static readonly FineTuningWish Open = new(
        TrainingMethod.Lora,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        0
    );

    [Fact]
    public void A_run_that_trained_B_alone_is_gone_on_from_with_its_own_A()
    {
        Assert.True(StartingPoint.Continue(Open, Origin(frozenA: true)).FrozenA);
        Assert.False(StartingPoint.Continue(Open, Origin(frozenA: false)).FrozenA);
        Assert.Equal(Seed, StartingPoint.SeedOf(null, Origin(frozenA: true)));
        Assert.Equal(Seed, StartingPoint.SeedOf(Seed, Origin(frozenA: true)));
        var refused = Assert.Throws<GatewayException>(() => StartingPoint.SeedOf(Seed + 1, Origin(frozenA: true)));
        Assert.Equal("seed", refused.Param);
        Assert.Contains("must be left out or 7", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_A_is_in_the_checkpoint_any_seed_is_good()
    {
        Assert.Null(StartingPoint.SeedOf(null, Origin(frozenA: false)));
        Assert.Equal(Seed + 1, StartingPoint.SeedOf(Seed + 1, Origin(frozenA: false)));
    }

    private static TrainParameters Origin(bool frozenA) =>
        new(
            TrainingMethod.Lora,
            new AdapterParameters(4, 8, ["attn_q"], frozenA),
            new TrainingFile("file-1", new string('a', 64), 1),
            null,
            1,
            0,
            1,
            64,
            new OptimizerParameters(1e-3, 0, RateSchedule.Constant, 0, 1),
            Seed,
            "ft:tiny:default:a:1"
        );
}
