namespace EgpuFleet.Simulation.Tests;

/// <summary>A seed is a whole run: the same lines, in the same order, each time.</summary>
public sealed class DeterminismTests
{
    [Fact]
    public void One_seed_gives_one_trace()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var first = SeedRun.Run(seed);
            var second = SeedRun.Run(seed);
            Assert.True(first.Digest == second.Digest, $"Seed {seed} did not repeat.");
            Assert.Equal(first.Steps, second.Steps);
        }
    }

    [Fact]
    public void Other_seeds_give_other_traces()
    {
        var digests = Enumerable.Range(1, 10).Select(seed => SeedRun.Run((ulong)seed).Digest).ToHashSet();
        Assert.Equal(10, digests.Count);
    }
}
