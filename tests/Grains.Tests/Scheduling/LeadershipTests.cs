using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Leaders come and go; what was acknowledged stays, and nothing is done twice.</summary>
public sealed class LeadershipTests
{
    [Fact]
    public async Task A_new_leader_goes_on_from_the_ledger_and_keeps_the_leases_of_the_old_one()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(100);
        var (onA, onB) = (await a.NextAsync(), await b.NextAsync());
        await a.ReportAsync(rig, onA, 5);
        rig.Loop.NodeDied(b.Device.Node);
        await rig.UntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued));

        await rig.ReplaceLeaderAsync();

        var answer = await a.HeartbeatAsync(rig);
        Assert.Equal([onA.Lease], answer.Renewed);
        Assert.Equal(ReportReply.Accepted, await a.ReportAsync(rig, onA, onA.Items.Count - 5, finished: true, skip: 5));
        Assert.Equal(ReportReply.Fenced, await b.FinishAsync(rig, onB));
        _ = a.WorkAsync(rig);
        _ = b.WorkAsync(rig);
        await b.HeartbeatAsync(rig);
        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 100);
    }

    [Fact]
    public async Task A_new_leader_takes_back_a_lease_that_was_committed_but_never_handed_over()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        await a.NextAsync();
        a.Running.Clear();

        await rig.ReplaceLeaderAsync();
        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued), a);

        var again = await rig.PassTimeUntilNextAsync(a);
        await a.FinishAsync(rig, again);
        Assert.Equal(2, again.Lease.Epoch);
        await rig.AssertCompleteAsync(job, 4);
    }

    [Fact]
    public async Task A_fenced_leader_answers_nobody_writes_nothing_and_leads_again_later()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var token = TestContext.Current.CancellationToken;
        var job = await rig.SubmitAsync(4);
        var work = await a.NextAsync();
        rig.Ledger.LosesRenewals = true;
        rig.Time.Advance(rig.Options.LeaderLease + rig.Options.Tick);
        var usurper = await rig.Ledger.AcquireLeadershipAsync(PoolId.Default, "x", rig.Options.LeaderLease, token);
        Assert.NotNull(usurper);

        await Assert.ThrowsAsync<PoolUnavailableException>(() => a.ReportAsync(rig, work, 4));

        Assert.Equal(0, (await rig.JobAsync(job)).CompletedItems);
        Assert.False(rig.Loop.IsLeading);
        await Assert.ThrowsAsync<PoolUnavailableException>(() => a.HeartbeatAsync(rig));
        rig.Ledger.LosesRenewals = false;
        await rig.UntilLeadingAsync();
        await a.HeartbeatAsync(rig);
        Assert.Equal(ReportReply.Accepted, await a.FinishAsync(rig, work));
        await rig.AssertCompleteAsync(job, 4);
    }

    [Fact]
    public async Task A_lost_renewal_ends_the_term()
    {
        await using var rig = await Rig.StartAsync();
        var token = TestContext.Current.CancellationToken;
        var waiting = rig.Loop.WaitForEventsAsync(JobId.New(rig.Time.GetUtcNow()), 0, token);
        rig.Ledger.LosesRenewals = true;
        rig.Time.Advance(rig.Options.LeaderLease + rig.Options.Tick);
        await rig.Ledger.AcquireLeadershipAsync(PoolId.Default, "x", rig.Options.LeaderLease, token);
        rig.Ledger.LosesRenewals = false;

        rig.Time.Advance(rig.Options.LeaderRenew);

        await waiting.WaitAsync(Rig.Patience, token);
        await rig.UntilLeadingAsync();
    }

    [Fact]
    public async Task A_submit_whose_answer_is_lost_is_said_to_be_unknown_and_runs_all_the_same()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var spec = await rig.StageAsync(3);
        rig.Ledger.LosesAnswers = true;

        await Assert.ThrowsAsync<PoolUnavailableException>(() =>
            rig.Loop.SubmitAsync(new SubmitRequest(spec, null, null), TestContext.Current.CancellationToken)
        );

        rig.Ledger.LosesAnswers = false;
        await rig.UntilLeadingAsync();
        await a.HeartbeatAsync(rig);
        _ = a.WorkAsync(rig);
        await rig.PassTimeUntilAsync(spec.Id, e => Rig.Has(e, JobEventKind.Succeeded), a);
        await rig.AssertCompleteAsync(spec.Id, 3);
    }

    [Fact]
    public async Task Whoever_waits_when_the_leader_stops_is_told_to_come_back()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        await rig.SubmitAsync(4);
        var work = await a.NextAsync();
        rig.Ledger.Hold();
        var report = a.ReportAsync(rig, work, 1);
        await rig.Ledger.UntilHeldAsync(1);

        await rig.ReplaceLeaderAsync();

        await Assert.ThrowsAsync<PoolUnavailableException>(() => report);
    }
}
