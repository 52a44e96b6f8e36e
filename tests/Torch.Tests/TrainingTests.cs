using EgpuFleet.Kernels.Torch.Model;
using EgpuFleet.Kernels.Torch.Training;

namespace EgpuFleet.Torch.Tests;

public sealed class TrainingTests
{
    private static readonly TrainingOptions Options = new(
        Steps: 40,
        BatchRows: 4,
        RowTokens: 48,
        PeakRate: 5e-3,
        WarmUpSteps: 5,
        Seed: 11
    );

    [Fact]
    public void Training_lowers_the_loss_and_equal_seeds_give_the_same_losses_bit_for_bit()
    {
        var first = Losses(Options);
        Assert.Equal(first, Losses(Options));
        Assert.NotEqual(first, Losses(Options with { Seed = 12 }));
        Assert.InRange(first[0], 5.5f, 6.5f);
        Assert.True(first[^5..].Average() < 0.85 * first[0], $"{first[0]} to {first[^1]}");
    }

    [Fact]
    public void Rows_begin_with_a_document_and_come_once_each_per_pass()
    {
        int[] tokens = [0, 1, 2, 3, 0, 4, 5, 6, 0, 7, 0, 8, 9, 9];
        var rows = new TokenRows(tokens, separator: 0, rowTokens: 4);
        Assert.Equal(3, rows.Count);
        var batch = rows.Next(3, new Random(1));
        var starts = new HashSet<int>();
        for (var row = 0; row < 3; row++)
        {
            var first = row * batch.RowTokens;
            Assert.Equal(0, batch.Inputs[first]);
            Assert.Equal(batch.Inputs[first + 1], batch.Targets[first]);
            starts.Add(batch.Inputs[first + 1]);
        }
        Assert.Equal([1, 4, 7], starts.Order());
        Assert.Throws<ArgumentException>(() => new TokenRows([1, 2, 3, 4, 5], separator: 0, rowTokens: 4));
    }

    private static float[] Losses(TrainingOptions options)
    {
        using var model = new LlamaModel(TinyModels.Config, options.Seed);
        using var trainer = new Trainer(model, TinyModels.Rows(), options);
        return [.. Enumerable.Range(0, options.Steps).Select(_ => trainer.Advance())];
    }
}
