using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Tests.Policy;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Tests.Training;

/// <summary>What is chosen for a run when its submitter leaves it open, and that nothing else is touched.</summary>
public sealed class FineTuningChoiceTests
{
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

    private static readonly TrainingDataFacts Little = new(20, 20_000, 1_200);

    [Fact]
    public void Little_data_is_read_often_in_small_steps()
    {
        var choice = FineTuningChoice.Of(Open, Little, Given.Model());
        Assert.Equal((10, 1, 1024), (choice.Epochs, choice.BatchRows, choice.RowTokens));
        Assert.Equal((16, 32.0), (choice.Adapter!.Rank, choice.Adapter.Alpha));
        Assert.Equal(FineTuningChoice.AllTargets, choice.Adapter.Targets);
        Assert.Equal(
            ["alpha", "batch_size", "learning_rate_multiplier", "n_epochs", "rank", "row_tokens", "targets"],
            choice.Reasons.Keys.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Much_data_is_read_once_in_large_steps()
    {
        var choice = FineTuningChoice.Of(Open, new TrainingDataFacts(100_000, 100_000_000, 900), Given.Model());
        Assert.Equal((1, 8, 512), (choice.Epochs, choice.BatchRows, choice.RowTokens));
    }

    [Fact]
    public void What_was_asked_for_stays()
    {
        var wish = Open with
        {
            Method = TrainingMethod.Full,
            Epochs = 4,
            BatchSize = 3,
            LearningRate = 5e-5,
            RowTokens = 64,
        };
        var choice = FineTuningChoice.Of(wish, Little, Given.Model());
        Assert.Equal((4, 3, 64, 5e-5), (choice.Epochs, choice.BatchRows, choice.RowTokens, choice.LearningRate));
        Assert.Null(choice.Adapter);
        Assert.Empty(choice.Reasons);
    }

    [Fact]
    public void A_multiplier_is_of_the_rate_that_fits_method_and_model()
    {
        var small = FineTuningChoice.Of(Open with { LearningRateMultiplier = 2 }, Little, Given.Model());
        var large = FineTuningChoice.Of(
            Open with
            {
                LearningRateMultiplier = 2,
            },
            Little,
            Given.Model(weightBytes: 8 * Given.Gigabyte)
        );
        Assert.Equal((2.0, 2.0), (small.LearningRateMultiplier, large.LearningRateMultiplier));
        Assert.True(small.LearningRate > large.LearningRate);
        var asked = FineTuningChoice.Of(Open with { LearningRate = small.LearningRate }, Little, Given.Model());
        Assert.Equal(2, asked.LearningRateMultiplier, 9);
    }

    [Fact]
    public void No_row_is_longer_than_the_context()
    {
        var choice = FineTuningChoice.Of(Open, new TrainingDataFacts(1, 50_000, 50_000), Given.Model());
        Assert.Equal(Given.Model().ContextLength, choice.RowTokens);
    }
}
