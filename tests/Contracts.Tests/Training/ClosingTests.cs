using EgpuFleet.Contracts.Tests.Checkpoints;
using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>The closing of a round, by silos that die in the middle of it, and by several at once.</summary>
public sealed class ClosingTests(CheckpointDatabase database) : IClassFixture<CheckpointDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_silo_that_dies_anywhere_in_a_closing_loses_nothing()
    {
        await using var expected = await ReadyAsync();
        await expected.CloseAsync();
        var bytes = await expected.BaseAsync();
        var deaths = 0;
        for (var at = 0; ; at++, deaths++)
        {
            await using var rig = await ReadyAsync();
            var finished = await DiesAsync(rig, at);
            if (finished)
                break;
            var state = await rig.CloseAsync();

            Assert.Equal((1, RoundPhase.Finished), (state.Round, state.Phase));
            Assert.Equal(2, await rig.CheckAsync());
            var values = await rig.BaseAsync();
            Assert.Equal(bytes.Keys.Order(), values.Keys.Order());
            Assert.All(bytes, tensor => Assert.Equal(tensor.Value, values[tensor.Key]));
        }
        // Tick, claim, open, three blocks, close: before and after each.
        Assert.Equal(14, deaths);
    }

    [Fact]
    public async Task Of_several_silos_that_close_a_round_one_does()
    {
        await using var rig = await ReadyAsync();
        // Nobody keeps the others out: what each reserves is over at once.
        var silos = Enumerable.Range(0, 4).Select(_ => new InterruptedRounds(rig.Rounds, at: -1));
        var states = await Task.WhenAll(silos.Select(silo => rig.CloseAsync(silo)));

        Assert.All(states, state => Assert.Equal(1, state.Round));
        Assert.Equal(2, await rig.CheckAsync());
        Assert.Equal(2, await rig.AskAsync<long>("select count(*) from checkpoint where job = $1 and state = 1"));
        Assert.Equal(0, await rig.AskAsync<long>("select count(*) from checkpoint where job = $1 and state in (0, 5)"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Whatever_happens_each_microshard_is_applied_once(int seed)
    {
        await using var rig = await RoundRig.CreateAsync(database, 3);
        // One for each round: the weights count the rounds that were applied.
        await rig.BeginAsync(0, RoundRig.Terms(20) with { OuterRate = 1, OuterMomentum = 0 });
        await new RoundStorm(rig, 3, seed).RunAsync();

        Assert.Equal(20, await rig.CheckAsync());
        var rounds = await rig.AskAsync<long>(
            "select count(*) from training_round where job = $1 and base is not null"
        );
        Assert.All((await rig.BaseAsync())["large"], value => Assert.Equal(1f + rounds, value));
        Assert.Equal(
            0,
            await rig.AskAsync<long>("select count(*) from training_round where job = $1 and base is null")
        );
    }

    [Fact]
    public async Task A_contribution_outlives_the_collection_and_goes_with_its_round()
    {
        await using var rig = await ReadyAsync();
        var atOnce = new CheckpointRules(1, 0, 0, "loss", TimeSpan.Zero);
        await database.Store.CollectAsync(atOnce, Token);
        var state = await rig.CloseAsync();
        await database.Store.CollectAsync(atOnce, Token);

        Assert.Equal(RoundPhase.Finished, state.Phase);
        Assert.Equal(2, await rig.CheckAsync());
        Assert.NotEmpty(await rig.BaseAsync());
        Assert.Equal(1, await rig.AskAsync<long>("select count(*) from checkpoint where job = $1"));
    }

    /// <summary>Two contributions are in, and nobody has closed the round yet.</summary>
    private async Task<RoundRig> ReadyAsync()
    {
        var rig = await RoundRig.CreateAsync(database, 2);
        await rig.BeginAsync(0, RoundRig.Terms(2));
        var held = new[] { await rig.TakeAsync(0, 1), await rig.TakeAsync(1, 1) };
        await rig.ContributeAsync(0, await rig.WorkAsync(0, held[0], RoundRig.Weights(0.1f, 0.2f)));
        await rig.ContributeAsync(1, await rig.WorkAsync(1, held[1], RoundRig.Weights(0.3f, -0.7f), tokens: 37));
        return rig;
    }

    private static async Task<bool> DiesAsync(RoundRig rig, int at)
    {
        try
        {
            await rig.CloseAsync(new InterruptedRounds(rig.Rounds, at));
            return true;
        }
        catch (KilledException)
        {
            return false;
        }
    }
}
