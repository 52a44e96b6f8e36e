using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task Shards_start_at_the_cursors_and_nowhere_else()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.SubmitRunningAsync(10);
        var outcomes = await Ledger.CommitAsync(
            rig.Term,
            [
                Start(0, 0, 4),
                Start(0, 0, 4),
                Start(2, 4, 4),
                Start(1, 5, 4),
                Start(1, 4, 7),
                Start(1, 4, 6),
                Start(2, 10, 1),
            ],
            Token
        );
        Assert.Equal([true, false, false, false, false, true, false], outcomes.Select(o => o.Applied));
        var active = Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token));
        Assert.Equal((10, 2), (active.NextItem, active.NextShardNumber));
        Assert.Equal([(0, 4), (4, 6)], active.Shards.Select(s => (s.FirstItem, s.ItemCount)));

        LedgerOperation Start(int number, int first, int count) =>
            new LedgerOperation.StartShard(new ShardId(job, number), first, count, LedgerRig.Device("mac-1"));
    }

    [Fact]
    public async Task A_queued_shard_is_leased_again_only_under_the_next_epoch()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        Assert.False((await rig.CommitAsync(Restart(2))).Applied);
        var requeue = new LedgerOperation.RequeueShard(shard, 1, "worker lost", CountsAsFailure: true);
        Assert.True((await rig.CommitAsync(requeue)).Applied);
        var late = new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "late")]);
        Assert.False((await rig.CommitAsync(late)).Applied);
        Assert.False((await rig.CommitAsync(Restart(1))).Applied);
        Assert.False((await rig.CommitAsync(Restart(3))).Applied);
        Assert.True((await rig.CommitAsync(Restart(2))).Applied);
        var active = Assert.Single(Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token)).Shards);
        Assert.Equal((2, 1, LedgerRig.Device("mac-2")), (active.Epoch, active.FailureCount, active.Device));

        LedgerOperation Restart(int epoch) => new LedgerOperation.RestartShard(shard, epoch, LedgerRig.Device("mac-2"));
    }

    [Fact]
    public async Task Results_lie_in_their_shard_and_carry_its_epoch()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.SubmitRunningAsync(4);
        var shard = new ShardId(job, 0);
        await rig.CommitAsync(new LedgerOperation.StartShard(shard, 0, 3, LedgerRig.Device("mac-1")));
        Assert.False((await rig.CommitAsync(Record(LedgerRig.Text(0, "in"), LedgerRig.Text(3, "out")))).Applied);
        Assert.False((await rig.CommitAsync(Record(LedgerRig.Text(-1, "out")))).Applied);
        Assert.Equal([], (await rig.CommitAsync(Record())).NewResults);
        var recorded = await rig.CommitAsync(Record(LedgerRig.Text(2, "c") with { Attempt = 9 }, LedgerRig.Error(0)));
        Assert.Equal([0, 2], recorded.NewResults);
        var found = await rig.FindAsync(job);
        Assert.Equal((1, 1), (found.CompletedItems, found.FailedItems));
        Assert.Equal([LedgerRig.Error(0), LedgerRig.Text(2, "c")], await rig.ResultsAsync(job));

        LedgerOperation Record(params ItemResult[] results) => new LedgerOperation.RecordResults(shard, 1, results);
    }

    [Fact]
    public async Task A_shard_ends_once()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        var outcomes = await Ledger.CommitAsync(
            rig.Term,
            [
                new LedgerOperation.FinishShard(shard, 1),
                new LedgerOperation.FinishShard(shard, 1),
                new LedgerOperation.FailShard(shard, 1, "no"),
                new LedgerOperation.RequeueShard(shard, 1, "no", CountsAsFailure: false),
                new LedgerOperation.FinishShard(new ShardId(shard.Job, 1), 1),
            ],
            Token
        );
        Assert.Equal([true, false, false, false, false], outcomes.Select(o => o.Applied));
        Assert.Empty(Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token)).Shards);
    }

    [Fact]
    public async Task A_job_succeeds_only_with_every_result_and_stays_so()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        var succeed = new LedgerOperation.SucceedJob(shard.Job);
        await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "a")]));
        Assert.False((await rig.CommitAsync(succeed)).Applied);
        await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Error(1)]));
        Assert.True((await rig.CommitAsync(succeed)).Applied);
        Assert.False((await rig.CommitAsync(succeed)).Applied);
        var found = await rig.FindAsync(shard.Job);
        Assert.Equal(JobState.Succeeded, found.State);
        Assert.NotNull(found.StartedAt);
        Assert.True(found.FinishedAt >= found.StartedAt);
        Assert.Empty(await Ledger.LoadActiveAsync(rig.Term.Pool, Token));
    }

    [Fact]
    public async Task Cancelling_a_job_ends_its_shards()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        var cancel = LedgerRig.Cancel(shard.Job, "by hand");
        Assert.True((await rig.CommitAsync(cancel)).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.FinishShard(shard, 1))).Applied);
        Assert.False(
            (await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "x")]))).Applied
        );
        var start = new LedgerOperation.StartShard(new ShardId(shard.Job, 1), 2, 1, LedgerRig.Device("mac-1"));
        Assert.False((await rig.CommitAsync(start)).Applied);
        var found = await rig.FindAsync(shard.Job);
        Assert.Equal((JobState.Cancelled, "by hand"), (found.State, found.End?.Message));
    }

    [Fact]
    public async Task A_whole_life_fits_one_list_in_order()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.StageAsync(1);
        var shard = new ShardId(job, 0);
        var outcomes = await Ledger.CommitAsync(
            rig.Term,
            [
                new LedgerOperation.SubmitJob(rig.Spec(job, 1), null),
                new LedgerOperation.StartJob(job),
                new LedgerOperation.StartShard(shard, 0, 1, LedgerRig.Device("mac-1")),
                new LedgerOperation.RequeueShard(shard, 1, "link lost", CountsAsFailure: true),
                new LedgerOperation.RestartShard(shard, 2, LedgerRig.Device("mac-2")),
                new LedgerOperation.RecordResults(shard, 2, [LedgerRig.Text(0, "done", "mac-2")]),
                new LedgerOperation.FinishShard(shard, 2),
                new LedgerOperation.SucceedJob(job),
            ],
            Token
        );
        Assert.All(outcomes, outcome => Assert.True(outcome.Applied));
        var events = await Ledger.ReadEventsAsync(job, 0, 100, Token);
        Assert.Equal(
            [
                JobEventKind.Submitted,
                JobEventKind.Started,
                JobEventKind.ShardStarted,
                JobEventKind.ShardRequeued,
                JobEventKind.ShardStarted,
                JobEventKind.ShardFinished,
                JobEventKind.Succeeded,
            ],
            events.Select(e => e.Kind)
        );
        Assert.Equal(outcomes.Where(o => o.Sequence != 0).Select(o => o.Sequence), events.Select(e => e.Sequence));
        var requeued = events[3];
        Assert.Equal((0, 1, "link lost"), (requeued.Shard, requeued.Epoch, requeued.Message));
        Assert.Equal((2, LedgerRig.Device("mac-2"), 1), (events[4].Epoch, events[4].Device, events[4].ItemCount));
    }

    [Fact]
    public async Task Callers_that_commit_at_once_all_get_their_own_outcomes()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        const int callers = 200;
        var shard = await rig.SubmitLeasedAsync(callers);
        var outcomes = await Task.WhenAll(
            Enumerable
                .Range(0, callers)
                .Select(i =>
                    rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(i, $"text {i}")]))
                )
        );
        Assert.Equal(Enumerable.Range(0, callers), outcomes.Select(o => Assert.Single(o.NewResults!)));
        Assert.Equal(callers, (await rig.FindAsync(shard.Job)).CompletedItems);
    }
}
