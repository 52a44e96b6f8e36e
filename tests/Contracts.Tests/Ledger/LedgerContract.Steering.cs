using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task A_held_job_waits_for_its_release()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var spec = rig.Spec(LedgerRig.NewId(), 1);
        spec = spec with { Rules = spec.Rules with { StartsHeld = true } };
        var submitted = await rig.CommitAsync(LedgerRig.Inline(spec));
        Assert.Equal((true, JobState.Held), (submitted.Applied, submitted.State));
        Assert.Equal(JobState.Held, Assert.Single(await rig.BacklogAsync()).State);
        Assert.False((await rig.CommitAsync(new LedgerOperation.StartJob(spec.Id))).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.HoldJob(spec.Id))).Applied);
        var released = await rig.CommitAsync(new LedgerOperation.ReleaseJob(spec.Id));
        Assert.Equal((true, JobState.Queued), (released.Applied, released.State));
        Assert.False((await rig.CommitAsync(new LedgerOperation.ReleaseJob(spec.Id))).Applied);
        Assert.True((await rig.CommitAsync(new LedgerOperation.HoldJob(spec.Id))).Applied);
        Assert.True((await rig.CommitAsync(new LedgerOperation.ReleaseJob(spec.Id))).Applied);
        Assert.True((await rig.CommitAsync(new LedgerOperation.StartJob(spec.Id))).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.HoldJob(spec.Id))).Applied);
        Assert.Equal(
            [
                JobEventKind.Submitted,
                JobEventKind.Held,
                JobEventKind.Released,
                JobEventKind.Held,
                JobEventKind.Released,
                JobEventKind.Started,
            ],
            (await Ledger.ReadEventsAsync(spec.Id, 0, 100, Token)).Select(e => e.Kind)
        );
    }

    [Fact]
    public async Task A_paused_job_holds_no_lease_and_goes_on_under_the_next_epoch()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        Assert.False((await rig.CommitAsync(new LedgerOperation.ResumeJob(shard.Job))).Applied);
        Assert.True((await rig.CommitAsync(new LedgerOperation.PauseJob(shard.Job))).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.PauseJob(shard.Job))).Applied);
        var paused = Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token));
        Assert.Equal(JobState.Paused, paused.State);
        Assert.Equal((ShardState.Queued, 1), (paused.Shards[0].State, paused.Shards[0].Epoch));
        LedgerOperation[] whilePaused =
        [
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "late")]),
            new LedgerOperation.FinishShard(shard, 1),
            new LedgerOperation.RestartShard(shard, 2, LedgerRig.Device("mac-2")),
            new LedgerOperation.StartShard(new ShardId(shard.Job, 1), 2, 1, LedgerRig.Device("mac-2")),
            new LedgerOperation.SucceedJob(shard.Job),
        ];
        foreach (var operation in whilePaused)
            Assert.False((await rig.CommitAsync(operation)).Applied, $"{operation} was applied.");
        Assert.True((await rig.CommitAsync(new LedgerOperation.ResumeJob(shard.Job))).Applied);
        var restart = new LedgerOperation.RestartShard(shard, 2, LedgerRig.Device("mac-2"));
        Assert.True((await rig.CommitAsync(restart)).Applied);
        Assert.Equal(JobState.Running, (await rig.FindAsync(shard.Job)).State);
    }

    [Fact]
    public async Task A_job_ends_from_any_state_that_is_not_terminal_and_tells_why()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var held = await rig.SubmitAsync(1);
        await rig.CommitAsync(new LedgerOperation.HoldJob(held));
        var paused = (await rig.SubmitLeasedAsync(1)).Job;
        await rig.CommitAsync(new LedgerOperation.PauseJob(paused));
        var end = new JobEnd(JobEndCode.RetriesExhausted, "Three times.");
        foreach (var job in new[] { held, paused, await rig.SubmitAsync(1), await rig.SubmitRunningAsync(1) })
        {
            Assert.True((await rig.CommitAsync(new LedgerOperation.EndJob(job, JobState.Failed, end))).Applied);
            Assert.False((await rig.CommitAsync(LedgerRig.Cancel(job))).Applied);
            var found = await rig.FindAsync(job);
            Assert.Equal((JobState.Failed, end), (found.State, found.End));
            Assert.NotNull(found.FinishedAt);
        }
    }

    [Fact]
    public async Task Only_the_clock_of_the_database_expires_a_job()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        await ClockChecks.Only_the_clock_of_the_database_expires_a_job(rig);
    }

    [Fact]
    public async Task A_shard_that_backs_off_is_not_leased_before_its_time()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        await rig.CommitAsync(Requeue(1, TimeSpan.FromHours(1)));
        var waiting = Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token)).Shards[0];
        Assert.True(waiting.NotBefore > (await rig.FindAsync(shard.Job)).CreatedAt);
        Assert.False((await rig.CommitAsync(Restart(2))).Applied);
        var other = await rig.SubmitLeasedAsync(1);
        shard = other;
        await rig.CommitAsync(Requeue(1, TimeSpan.Zero));
        Assert.True((await rig.CommitAsync(Restart(2))).Applied);

        LedgerOperation Requeue(int epoch, TimeSpan backoff) =>
            new LedgerOperation.RequeueShard(shard, epoch, "failed", CountsAsFailure: true, backoff);

        LedgerOperation Restart(int epoch) => new LedgerOperation.RestartShard(shard, epoch, LedgerRig.Device("mac-2"));
    }

    [Fact]
    public async Task A_report_may_make_a_shard_forget_its_failures_but_not_a_late_one()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        var fail = new LedgerOperation.RequeueShard(shard, 1, "lost", CountsAsFailure: true);
        await rig.CommitAsync(fail);
        await rig.CommitAsync(new LedgerOperation.RestartShard(shard, 2, LedgerRig.Device("mac-1")));
        Assert.False((await rig.CommitAsync(Report(1, forgets: true))).Applied);
        Assert.True((await rig.CommitAsync(Report(2, forgets: false))).Applied);
        Assert.Equal(1, (await ShardAsync()).FailureCount);
        Assert.True((await rig.CommitAsync(Report(2, forgets: true))).Applied);
        Assert.Equal(0, (await ShardAsync()).FailureCount);

        LedgerOperation Report(int epoch, bool forgets) => new LedgerOperation.RecordResults(shard, epoch, [], forgets);

        async Task<ActiveShard> ShardAsync() =>
            Assert.Single(Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token)).Shards);
    }

    [Fact]
    public async Task A_leader_learns_the_time_of_the_database()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var renewed = await Ledger.RenewLeadershipAsync(rig.Term, LedgerRig.Long, Token);
        var job = await rig.SubmitAsync(1);
        var again = await Ledger.AcquireLeadershipAsync(rig.Term.Pool, rig.Term.Holder, LedgerRig.Long, Token);
        Assert.NotNull(again);
        Assert.InRange((await rig.FindAsync(job)).CreatedAt, renewed!.Value, again.Now);
    }
}
