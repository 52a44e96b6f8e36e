using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Owners hold, release, pause, resume and cancel their jobs, whatever is on its way meanwhile.</summary>
public sealed class SteeringTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_held_job_waits_for_its_release_and_then_runs_at_its_old_place()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync();
        rig.Join(a);
        var (first, second) = (await rig.SubmitNoopAsync(), await rig.SubmitNoopAsync());

        Assert.True((await rig.Loop.SteerAsync(first, JobSteering.Hold, Token)).Applied);
        Assert.True((await rig.Loop.SteerAsync(first, JobSteering.Hold, Token)).Applied);
        Assert.False((await rig.Loop.SteerAsync(first, JobSteering.Resume, Token)).Applied);
        Assert.Equal(JobState.Held, (await rig.JobAsync(first)).State);
        var why = await rig.Loop.ExplainWaitingAsync([first]);
        Assert.Equal(RefusalCode.OnHold, why[first].Code);
        var third = await rig.SubmitNoopAsync();
        Assert.True((await rig.Loop.SteerAsync(first, JobSteering.Release, Token)).Applied);
        Assert.True((await rig.Loop.SteerAsync(first, JobSteering.Release, Token)).Applied);
        await a.HeartbeatAsync(rig);

        foreach (var expected in new[] { first, second, third })
        {
            var work = await a.NextAsync();
            Assert.Equal(expected, work.Lease.Shard.Job);
            await a.FinishAsync(rig, work);
        }
        await rig.AssertCompleteAsync(first, 1);
    }

    [Fact]
    public async Task A_job_may_start_held_and_a_running_one_cannot_be_held()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);
        var held = await rig.SubmitNoopAsync(rules: JobRules.Default with { StartsHeld = true });
        var running = await rig.SubmitNoopAsync();
        var work = await a.NextAsync();

        var refused = await rig.Loop.SteerAsync(running, JobSteering.Hold, Token);

        Assert.Equal(running, work.Lease.Shard.Job);
        Assert.Equal((false, JobState.Running), (refused.Applied, refused.Job!.State));
        Assert.Null((await rig.Loop.SteerAsync(JobId.New(rig.Time.GetUtcNow()), JobSteering.Hold, Token)).Job);
        await rig.Loop.SteerAsync(held, JobSteering.Release, Token);
        Assert.Equal(held, (await a.NextAsync()).Lease.Shard.Job);
    }

    [Fact]
    public async Task A_paused_job_gives_its_leases_back_keeps_its_results_and_goes_on_under_the_next_epoch()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var work = await a.NextAsync();
        await a.ReportAsync(rig, work, 1);

        Assert.True((await rig.Loop.SteerAsync(job, JobSteering.Pause, Token)).Applied);

        Assert.Equal(work.Lease, await a.NextStoppedAsync());
        Assert.Equal(ReportReply.Fenced, await a.ReportAsync(rig, work, 3, finished: true, skip: 1));
        Assert.Equal((JobState.Paused, 1), ((await rig.JobAsync(job)).State, (await rig.JobAsync(job)).CompletedItems));
        Assert.Equal(RefusalCode.JobPaused, (await rig.Loop.ExplainWaitingAsync([job]))[job].Code);
        var other = await rig.SubmitAsync(1);
        await a.FinishAsync(rig, await a.NextAsync());
        await rig.AssertCompleteAsync(other, 1);
        Assert.True((await rig.Loop.SteerAsync(job, JobSteering.Resume, Token)).Applied);
        var again = await a.NextAsync();
        Assert.Equal((work.Lease.Shard, 2, 3), (again.Lease.Shard, again.Lease.Epoch, again.Items.Count));
        await a.FinishAsync(rig, again);
        await rig.AssertCompleteAsync(job, 4);
    }

    [Fact]
    public async Task A_report_and_a_plan_in_flight_when_the_job_is_paused_do_no_harm()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a);
        rig.Join(b);
        var job = await rig.SubmitAsync(40);
        var work = await a.NextAsync();
        rig.Ledger.Hold();

        var report = a.ReportAsync(rig, work, 2);
        await b.HeartbeatAsync(rig);
        await rig.Ledger.UntilHeldAsync(2);
        var pause = rig.Loop.SteerAsync(job, JobSteering.Pause, Token);
        await rig.Ledger.UntilHeldAsync(3);
        var late = a.ReportAsync(rig, work, 2, skip: 2);
        await rig.Ledger.UntilHeldAsync(4);
        rig.Ledger.LetGo();

        Assert.Equal(ReportReply.Accepted, await report);
        Assert.True((await pause).Applied);
        Assert.Equal(ReportReply.Fenced, await late);
        Assert.Empty(b.Running);
        await rig.Loop.SteerAsync(job, JobSteering.Resume, Token);
        _ = a.WorkAsync(rig);
        _ = b.WorkAsync(rig);
        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 40);
    }

    [Fact]
    public async Task A_paused_job_stays_paused_over_a_change_of_leaders_and_a_held_one_held()
    {
        var a = new FakeAgent("a") { NoopSlots = 4 };
        await using var rig = await Rig.StartAsync(a);
        var paused = await rig.SubmitNoopAsync(8);
        for (var i = 0; i < 4; i++)
            await a.NextAsync();
        await rig.Loop.SteerAsync(paused, JobSteering.Pause, Token);
        var held = await rig.SubmitNoopAsync(rules: JobRules.Default with { StartsHeld = true });

        await rig.ReplaceLeaderAsync();
        await rig.HearAllAsync();

        var why = await rig.Loop.ExplainWaitingAsync([paused, held]);
        Assert.Equal((RefusalCode.JobPaused, RefusalCode.OnHold), (why[paused].Code, why[held].Code));
        a.Running.Clear();
        await rig.Loop.SteerAsync(paused, JobSteering.Resume, Token);
        await rig.Loop.SteerAsync(held, JobSteering.Release, Token);
        _ = a.WorkAsync(rig);
        await rig.UntilSucceededAsync(paused);
        await rig.UntilSucceededAsync(held);
        await rig.AssertCompleteAsync(paused, 8);
    }

    [Theory]
    [InlineData(JobState.Queued)]
    [InlineData(JobState.Held)]
    [InlineData(JobState.Blocked)]
    [InlineData(JobState.Running)]
    [InlineData(JobState.Paused)]
    public async Task A_job_can_be_cancelled_in_every_state(JobState state)
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var running = await rig.SubmitNoopAsync();
        await a.NextAsync();
        var dependency = new JobDependency(running, DependencyCondition.AfterAny);
        var job = state switch
        {
            JobState.Held => await rig.SubmitNoopAsync(rules: JobRules.Default with { StartsHeld = true }),
            JobState.Blocked => await rig.SubmitNoopAsync(rules: JobRules.Default with { DependsOn = [dependency] }),
            JobState.Queued => await rig.SubmitNoopAsync(),
            _ => running,
        };
        if (state == JobState.Paused)
            await rig.Loop.SteerAsync(job, JobSteering.Pause, Token);
        Assert.Equal(state, (await rig.JobAsync(job)).State);

        var record = await rig.Loop.CancelAsync(job, Token);

        Assert.Equal((JobState.Cancelled, JobEndCode.Cancelled), (record!.State, record.End!.Code));
        Assert.False((await rig.Loop.SteerAsync(job, JobSteering.Release, Token)).Applied);
        Assert.Empty(await rig.Loop.ExplainWaitingAsync([job]));
    }

    [Fact]
    public async Task A_cancel_while_the_start_is_in_flight_hands_nothing_over()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync();
        rig.Join(a);
        var job = await rig.SubmitNoopAsync();
        rig.Ledger.Hold();
        await a.HeartbeatAsync(rig);
        await rig.Ledger.UntilHeldAsync(1);

        var cancel = rig.Loop.CancelAsync(job, Token);
        await rig.Ledger.UntilHeldAsync(2);
        rig.Ledger.LetGo();

        Assert.Equal(JobState.Cancelled, (await cancel)!.State);
        var next = await rig.SubmitNoopAsync();
        Assert.Equal(next, (await a.NextAsync()).Lease.Shard.Job);
        Assert.Single(a.Started);
    }

    [Fact]
    public async Task A_cancel_while_the_finish_is_in_flight_comes_too_late()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitNoopAsync();
        var work = await a.NextAsync();
        rig.Ledger.Hold();
        var finish = a.FinishAsync(rig, work);
        await rig.Ledger.UntilHeldAsync(1);

        var cancel = rig.Loop.CancelAsync(job, Token);
        await rig.Ledger.UntilHeldAsync(2);
        rig.Ledger.LetGo();

        Assert.Equal(ReportReply.Accepted, await finish);
        Assert.Equal(JobState.Succeeded, (await cancel)!.State);
        await rig.AssertCompleteAsync(job, 1);
    }

    [Fact]
    public async Task A_question_that_cannot_be_answered_is_only_its_askers_affair()
    {
        await using var rig = await Rig.StartAsync(new FakeAgent("a"));

        await Assert.ThrowsAnyAsync<Exception>(() => rig.Loop.RouteAsync(new RouteRequest(null!, null!)));

        Assert.Single(await rig.Loop.GetFleetAsync());
        Assert.True(rig.Loop.IsLeading);
    }
}
