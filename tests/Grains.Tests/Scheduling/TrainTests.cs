using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A fine-tuning run goes to a device that trains, and is given up only when it fails again and again at one place.</summary>
public sealed class TrainTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_waits_for_a_device_that_trains_and_others_pass()
    {
        var other = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(other);
        var train = await rig.SubmitTrainAsync();
        var passes = await rig.SubmitAsync(1);
        Assert.Equal(passes, (await other.NextAsync()).Lease.Shard.Job);
        var why = Assert.Single(await rig.Loop.ExplainWaitingAsync([train])).Value;
        Assert.Equal(RefusalCode.NoMatchingDevice, why.Code);
        Assert.NotNull(why.Action);

        var able = new FakeAgent("b") { TrainEngine = "torch" };
        rig.Join(able);
        await able.HeartbeatAsync(rig);
        var work = await able.NextAsync();
        Assert.Equal((train, JobKind.Train), (work.Lease.Shard.Job, work.Kind));
        Assert.Equal("torch-run", work.Train?.Result);
        await able.FinishAsync(rig, work);
        await rig.UntilSucceededAsync(train);
    }

    [Fact]
    public async Task One_that_asks_for_an_engine_waits_for_it_and_still_does_under_a_new_leader()
    {
        var torch = new FakeAgent("a") { TrainEngine = "torch" };
        await using var rig = await Rig.StartAsync(torch);
        var train = await rig.SubmitTrainAsync(engine: "tinygrad");
        await rig.ReplaceLeaderAsync();
        await rig.HearAllAsync();
        var passes = await rig.SubmitTrainAsync();
        Assert.Equal(passes, (await torch.NextAsync()).Lease.Shard.Job);
        var why = Assert.Single(await rig.Loop.ExplainWaitingAsync([train])).Value;
        Assert.Contains("tinygrad", why.Message, StringComparison.Ordinal);

        var tinygrad = new FakeAgent("b") { TrainEngine = "tinygrad" };
        rig.Join(tinygrad);
        await tinygrad.HeartbeatAsync(rig);
        Assert.Equal(train, (await tinygrad.NextAsync()).Lease.Shard.Job);
    }

    [Fact]
    public async Task Members_of_one_run_are_one_to_a_device()
    {
        var (a, b) = (new FakeAgent("a") { TrainEngine = "torch" }, new FakeAgent("b") { TrainEngine = "torch" });
        await using var rig = await Rig.StartAsync(a, b);
        await rig.SubmitTrainAsync(members: 2);
        Assert.Single((await a.NextAsync()).Items);
        Assert.Single((await b.NextAsync()).Items);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_further_member_that_fails_for_good_leaves_the_run_to_the_others(bool isRetryable)
    {
        var (a, b) = (new FakeAgent("a") { TrainEngine = "torch" }, new FakeAgent("b") { TrainEngine = "torch" });
        await using var rig = await Rig.StartAsync(a, b);
        var train = await rig.SubmitTrainAsync(members: 2);
        var (ofA, ofB) = (await a.NextAsync(), await b.NextAsync());
        var (first, second, work) = ofA.Items[0].Index == 0 ? (a, b, ofA) : (b, a, ofB);
        for (var i = 1; isRetryable && i < RetryPolicy.Default.MaxAttempts; i++)
        {
            await second.FailAsync(rig, second.Running.Values.Single(), "broken", retryable: true);
            await NextAsync(rig, second);
        }
        await second.FailAsync(rig, second.Running.Values.Single(), "broken", isRetryable);
        var job = await rig.JobAsync(train);
        Assert.Equal((JobState.Running, 1), (job.State, job.FailedItems));

        await first.FinishAsync(rig, work);
        await rig.UntilSucceededAsync(train);
        var results = await rig.Ledger.ReadResultsAsync(train, Token).ToListAsync(Token);
        var failed = Assert.Single(results, result => result.ErrorCode is not null);
        Assert.Equal(
            (1, "member-1", "broken", second.Device),
            (failed.Index, failed.CustomId, failed.ErrorCode, failed.Device)
        );
    }

    [Fact]
    public async Task The_first_member_that_fails_for_good_ends_the_run()
    {
        var (a, b) = (new FakeAgent("a") { TrainEngine = "torch" }, new FakeAgent("b") { TrainEngine = "torch" });
        await using var rig = await Rig.StartAsync(a, b);
        var train = await rig.SubmitTrainAsync(members: 2);
        var (ofA, _) = (await a.NextAsync(), await b.NextAsync());
        FakeAgent[] agents = ofA.Items[0].Index == 0 ? [a, b] : [b, a];
        await agents[0].FailAsync(rig, agents[0].Running.Values.Single(), "broken", retryable: false);
        Assert.Equal(JobEndCode.WorkFailed, (await rig.JobAsync(train)).End?.Code);
        await agents[1].NextStoppedAsync();
    }

    [Fact]
    public async Task Workers_lost_between_checkpoints_never_end_it()
    {
        var agent = new FakeAgent("a") { TrainEngine = "torch" };
        await using var rig = await Rig.StartAsync(agent);
        var train = await rig.SubmitTrainAsync();
        for (var loss = 0; loss < 12; loss++)
        {
            var work = await NextAsync(rig, agent);
            // A leader that is new knows no more than what the ledger kept.
            if (loss % 3 == 2)
            {
                Assert.Equal(ReportReply.Accepted, await agent.ReportAsync(rig, work, items: 0));
                await rig.ReplaceLeaderAsync();
                await rig.HearAllAsync();
            }
            await agent.FailAsync(rig, work, "worker_lost", retryable: true);
        }
        Assert.Equal(JobState.Running, (await rig.JobAsync(train)).State);
        await agent.FinishAsync(rig, await NextAsync(rig, agent));
        await rig.UntilSucceededAsync(train);
    }

    [Fact]
    public async Task One_that_never_gets_further_fails_after_its_tries()
    {
        var agent = new FakeAgent("a") { TrainEngine = "torch" };
        await using var rig = await Rig.StartAsync(agent);
        var train = await rig.SubmitTrainAsync();
        await agent.ReportAsync(rig, await FailingAsync(rig, agent, times: 2), items: 0);
        await agent.FailAsync(rig, agent.Running.Values.Single(), "worker_lost", retryable: true);
        await FailingAsync(rig, agent, times: RetryPolicy.Default.MaxAttempts - 2);
        await agent.FailAsync(rig, agent.Running.Values.Single(), "worker_lost", retryable: true);
        var end = (await rig.JobAsync(train)).End;
        Assert.Equal(JobEndCode.RetriesExhausted, end?.Code);
    }

    /// <summary>Loses so many workers, and takes the shard once more.</summary>
    private static async Task<ShardAssignment> FailingAsync(Rig rig, FakeAgent agent, int times)
    {
        for (var i = 0; i < times; i++)
            await agent.FailAsync(rig, await NextAsync(rig, agent), "worker_lost", retryable: true);
        return await NextAsync(rig, agent);
    }

    private static async Task<ShardAssignment> NextAsync(Rig rig, FakeAgent agent) =>
        await rig.PassTimeUntilNextAsync(agent);
}
