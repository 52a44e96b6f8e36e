using EgpuFleet.Contracts.Tests.Checkpoints;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>Rounds of a data parallel run in Postgres: what is applied, and who is kept out.</summary>
public sealed class RoundTests(CheckpointDatabase database) : IClassFixture<CheckpointDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(DeltaEncoding.F32, 1e-6f)]
    [InlineData(DeltaEncoding.F16, 1e-3f)]
    [InlineData(DeltaEncoding.Int8, 1e-3f)]
    public async Task Weights_and_velocity_go_on_over_rounds_as_the_formula_says(
        DeltaEncoding encoding,
        float tolerance
    )
    {
        await using var rig = await RoundRig.CreateAsync(database, 2);
        var first = await rig.BeginAsync(0, RoundRig.Terms(4));
        for (var round = 0; round < 2; round++)
        {
            var held = await Task.WhenAll(rig.TakeAsync(0, 1), rig.TakeAsync(1, 1));
            // The one that comes first has the higher id: sums are in the order of ids all the same.
            var second = await rig.WorkAsync(1, held[1], RoundRig.Weights(0.25f, -0.5f), encoding, tokens: 300);
            await rig.ContributeAsync(1, second);
            var other = await rig.WorkAsync(0, held[0], RoundRig.Weights(-0.75f, 0.5f), encoding, tokens: 100);
            await rig.ContributeAsync(0, other);
            Assert.Equal(round + 1, (await rig.CloseAsync()).Round);
        }

        // g = 0, -0.25 in both rounds; v = 0.5·v + g; theta -= 0.5·(g + 0.5·v)
        var tensors = await rig.BaseAsync();
        Assert.All(tensors["large"], value => Assert.Equal(1f, value, tolerance));
        Assert.All(tensors["small"], value => Assert.Equal(2 + 0.1875f + 0.21875f, value, tolerance));
        Assert.All(tensors["outer.v.small"], value => Assert.Equal(-0.375f, value, tolerance));
        Assert.Equal((RoundRig.Rows * 1000, 3), (tensors["outer.v.large"].Length, tensors["outer.v.small"].Length));
        var run = (await rig.Rounds.FindAsync(rig.Job, Token))!;
        Assert.Equal(RoundPhase.Finished, run.State.Phase);
        Assert.Equal(4, await rig.CheckAsync());
        var record = (await database.Store.FindAsync(run.Checkpoint, Token))!;
        Assert.Equal((OuterTensors.Shard, 3, 2L), (record.Shard.Number, record.Number, record.Step));
        Assert.Equal(400, record.Metrics["tokens"]);
        var line = await database.Store.ListAsync(new CheckpointPage(rig.Job, null, 10), Token);
        Assert.Equal(3, line.Count);
        Assert.Equal(first.Checkpoint, line[^1].Id);
        Assert.Equal(0, await rig.AskAsync<long>("select count(*) from checkpoint where job = $1 and state in (0, 5)"));
    }

    [Fact]
    public async Task Who_may_not_is_told_why_and_changes_nothing()
    {
        await using var rig = await RoundRig.CreateAsync(database, 2);
        var stranger = rig.Lease(0) with { Node = new("elsewhere") };
        Assert.Equal(RoundReply.NotBegun, (await rig.Rounds.JoinAsync(rig.Lease(0), Token)).Reply);
        await rig.BeginAsync(0, RoundRig.Terms(4));
        var held = await rig.TakeAsync(0, 2);
        var work = await rig.WorkAsync(0, held, RoundRig.Weights(0.1f, 0.1f));

        Assert.Equal(RoundReply.Fenced, (await rig.Rounds.JoinAsync(stranger, Token)).Reply);
        Assert.Equal(RoundReply.Fenced, (await rig.Rounds.TakeAsync(rig.Lease(0, 2), 0, 1, Token)).Reply);
        Assert.Equal(RoundReply.Fenced, await ReplyAsync(rig, stranger, work));
        Assert.Equal(RoundReply.WrongBase, await ReplyAsync(rig, rig.Lease(0), work with { Base = new('0', 64) }));
        Assert.Equal(RoundReply.Stale, await ReplyAsync(rig, rig.Lease(0), work with { Round = 1 }));
        Assert.Equal(RoundReply.NotLeased, await ReplyAsync(rig, rig.Lease(0), work with { Microshards = [3] }));
        Assert.Equal(RoundReply.Unknown, await ReplyAsync(rig, rig.Lease(1), work));
        Assert.Equal(
            RoundReply.Invalid,
            await ReplyAsync(rig, rig.Lease(0), work with { Encoding = DeltaEncoding.F16 })
        );
        var absent = work.Manifest with { Tensors = [.. work.Manifest.Tensors.Take(1)] };
        Assert.Equal(RoundReply.Invalid, await ReplyAsync(rig, rig.Lease(0), work with { Manifest = absent }));
        Assert.Equal(0, (await rig.CloseAsync()).Round);
        Assert.Empty((await rig.Rounds.FindAsync(rig.Job, Token))!.State.Contributions);
    }

    [Fact]
    public async Task A_repetition_changes_nothing_even_after_its_round()
    {
        await using var rig = await RoundRig.CreateAsync(database, 1);
        await rig.BeginAsync(0, RoundRig.Terms(4));
        var begun = await rig.BeginAsync(0, RoundRig.Terms(4));
        Assert.Equal(0, begun.State.Round);
        var held = await rig.TakeAsync(0, 2);
        var work = await rig.WorkAsync(0, held, RoundRig.Weights(0.1f, 0.1f));
        await rig.ContributeAsync(0, work);
        await rig.ContributeAsync(0, work);
        await rig.CloseAsync();
        var before = await rig.BaseAsync();
        await rig.ContributeAsync(0, work);
        await rig.CloseAsync();

        Assert.Equal(1, (await rig.Rounds.FindAsync(rig.Job, Token))!.State.Round);
        Assert.Equal(before["large"], (await rig.BaseAsync())["large"]);
        Assert.Equal(2, await rig.CheckAsync());
    }

    [Fact]
    public async Task Members_that_begin_at_once_begin_one_run_and_none_begins_another()
    {
        await using var rig = await RoundRig.CreateAsync(database, 2);
        await rig.BeginAsync(1, RoundRig.Terms(4));
        var again = await rig.BeginAsync(0, RoundRig.Terms(4));
        var (other, manifest) = (CheckpointId.New(TimeProvider.System.GetUtcNow()), new Manifest([]));
        var refused = await rig.Rounds.BeginAsync(rig.Lease(0), RoundRig.Terms(5), other, manifest, Token);

        Assert.Equal((await rig.Rounds.FindAsync(rig.Job, Token))!.Checkpoint, again.Checkpoint);
        Assert.Equal(RoundReply.Invalid, refused.Reply);
        Assert.Equal(1, await rig.AskAsync<long>("select count(*) from checkpoint where job = $1 and state = 1"));
    }

    [Fact]
    public async Task What_is_no_number_or_damaged_is_dropped_and_trained_again()
    {
        await using var rig = await RoundRig.CreateAsync(database, 3);
        await rig.BeginAsync(0, RoundRig.Terms(3));
        var held = new[] { await rig.TakeAsync(0, 1), await rig.TakeAsync(1, 1), await rig.TakeAsync(2, 1) };
        await rig.ContributeAsync(0, await rig.WorkAsync(0, held[0], RoundRig.Weights(0.5f, 0.5f)));
        await rig.ContributeAsync(1, await rig.WorkAsync(1, held[1], RoundRig.Weights(float.NaN, 0.5f)));
        var damaged = await rig.WorkAsync(2, held[2], RoundRig.Weights(0.375f, 0.625f));
        await rig.ContributeAsync(2, damaged);
        await using var command = database.Source.CreateCommand(
            "update chunk set data = set_byte(data, 0, 255 - get_byte(data, 0)) where hash = $1"
        );
        command.Parameters.Add(new() { Value = damaged.Manifest.Tensors[1].HashOf(0).ToArray() });
        Assert.Equal(1, await command.ExecuteNonQueryAsync(Token));
        var state = await rig.CloseAsync();

        Assert.Equal((1, RoundPhase.Open), (state.Round, state.Phase));
        Assert.Equal([1, 2], state.Book.Returned);
        // v = 0.5, theta = 1 - 0.5·(0.5 + 0.5·0.5)
        Assert.All((await rig.BaseAsync())["large"], value => Assert.Equal(0.625f, value));
        var dropped = await rig.AskAsync<string>("select dropped::text from training_round where job = $1");
        Assert.Contains("not_finite", dropped, StringComparison.Ordinal);
        Assert.Contains("damaged", dropped, StringComparison.Ordinal);
        Assert.Equal(1, await rig.CheckAsync());
    }

    [Fact]
    public async Task What_a_lost_member_had_goes_to_the_others()
    {
        await using var rig = await RoundRig.CreateAsync(database, 2);
        await rig.BeginAsync(0, RoundRig.Terms(2));
        await rig.TakeAsync(0, 1);
        var lost = await rig.TakeAsync(1, 1);
        var late = await rig.WorkAsync(1, lost, RoundRig.Weights(9, 9));
        await rig.LoseAsync(1);
        await rig.CloseAsync();
        var held = await rig.TakeAsync(0, 2);
        Assert.Equal(RoundReply.Fenced, await ReplyAsync(rig, rig.Lease(1), late));
        await rig.LeaseAsync(1, 2);
        await rig.ContributeAsync(0, await rig.WorkAsync(0, held, RoundRig.Weights(0.5f, 0.5f)));
        var state = await rig.CloseAsync();

        Assert.Equal([0, 1], held);
        Assert.Equal(RoundPhase.Finished, state.Phase);
        Assert.Equal(2, await rig.CheckAsync());
    }

    private static async Task<RoundReply> ReplyAsync(RoundRig rig, RoundLease lease, RoundWork work) =>
        (await rig.Rounds.ContributeAsync(lease, work, Token)).Reply;
}
