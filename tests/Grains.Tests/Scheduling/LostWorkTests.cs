using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Devices, nodes and work that fail: the work goes on elsewhere, and nothing has two results.</summary>
public sealed class LostWorkTests
{
    [Fact]
    public async Task The_shard_of_a_dead_node_runs_elsewhere_under_the_next_epoch_and_its_late_report_is_fenced()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(200);
        var lost = await a.NextAsync();
        Assert.Equal(ReportReply.Accepted, await a.ReportAsync(rig, lost, 10));

        rig.Loop.NodeDied(a.Device.Node);
        _ = b.WorkAsync(rig);

        var events = await rig.UntilSucceededAsync(job);
        Assert.Equal(ReportReply.Fenced, await a.FinishAsync(rig, lost));
        await rig.AssertCompleteAsync(job, 200);
        var requeued = Assert.Single(events, e => e.Kind == JobEventKind.ShardRequeued);
        Assert.Equal((lost.Lease.Shard.Number, 1), (requeued.Shard, requeued.Epoch));
        Assert.Contains("gone from the cluster", requeued.Message, StringComparison.Ordinal);
        var again = b.Started.Single(work => work.Lease.Shard == lost.Lease.Shard);
        Assert.Equal(2, again.Lease.Epoch);
        Assert.Equal(lost.Items.Count - 10, again.Items.Count);
        var nodes = await rig.Loop.GetFleetAsync();
        Assert.Equal([NodeState.Offline, NodeState.Ready], nodes.Select(node => node.State));
    }

    [Fact]
    public async Task A_silent_node_loses_its_lease_at_the_deadline_and_finds_it_revoked_when_it_wakes()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(8);
        var frozen = await a.NextAsync();
        var other = await b.NextAsync();
        var start = rig.Time.GetUtcNow();

        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued), b);

        Assert.True(rig.Time.GetUtcNow() - start >= rig.Options.LeaseDuration);
        Assert.Equal(a.Device, events.Single(e => e.Kind == JobEventKind.ShardRequeued).Device);
        Assert.Equal(NodeState.Silent, (await rig.Loop.GetFleetAsync())[0].State);
        var answer = await a.HeartbeatAsync(rig);
        Assert.Equal([frozen.Lease], answer.Revoked);
        Assert.Empty(answer.Renewed);
        Assert.Equal(ReportReply.Fenced, await a.FinishAsync(rig, frozen));
        await b.FinishAsync(rig, other);
        var again = await Task.WhenAny(a.NextAsync(), b.NextAsync()).Unwrap();
        Assert.Equal((frozen.Lease.Shard, 2), (again.Lease.Shard, again.Lease.Epoch));
    }

    [Fact]
    public async Task Heartbeats_keep_a_lease_for_as_long_as_they_name_it()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var work = await a.NextAsync();

        for (var passed = TimeSpan.Zero; passed < 5 * rig.Options.LeaseDuration; passed += rig.Options.Tick)
        {
            rig.Time.Advance(rig.Options.Tick);
            var answer = await a.HeartbeatAsync(rig);
            Assert.Equal([work.Lease], answer.Renewed);
        }
        await a.FinishAsync(rig, work);

        await rig.AssertCompleteAsync(job, 4);
    }

    [Fact]
    public async Task A_restarted_agent_has_lost_what_the_earlier_one_held()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var before = await a.NextAsync();

        a.Running.Clear();
        a.Incarnation = Guid.NewGuid();
        await a.HeartbeatAsync(rig);

        var after = await a.NextAsync();
        Assert.Equal((before.Lease.Shard, 2), (after.Lease.Shard, after.Lease.Epoch));
        await a.FinishAsync(rig, after);
        await rig.AssertCompleteAsync(job, 4);
    }

    [Theory]
    [InlineData(DeviceState.Failed)]
    [InlineData(DeviceState.Quarantined)]
    [InlineData(DeviceState.Offline)]
    [InlineData(DeviceState.Draining)]
    [InlineData(DeviceState.Ejected)]
    public async Task A_device_that_says_it_does_not_work_loses_in_that_heartbeat_what_it_does_not_name(
        DeviceState state
    )
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(8);
        var (onA, onB) = (await a.NextAsync(), await b.NextAsync());

        // It still names it: its last report is on the way, and what that says counts.
        Assert.Equal([onA.Lease], (await a.HeartbeatAsync(rig, state: state)).Renewed);
        a.Running.Clear();
        await a.HeartbeatAsync(rig, state: state);
        await b.FinishAsync(rig, onB);

        var again = await b.NextAsync();
        Assert.Equal((onA.Lease.Shard, 2), (again.Lease.Shard, again.Lease.Epoch));
        Assert.Equal(ReportReply.Fenced, await a.FinishAsync(rig, onA));
        await b.FinishAsync(rig, again);
        await rig.AssertCompleteAsync(job, 8);
    }

    [Fact]
    public async Task A_lease_that_its_device_no_longer_names_is_taken_back_after_the_grace()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        await a.NextAsync();
        a.Running.Clear();

        var start = rig.Time.GetUtcNow();
        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued), a);

        Assert.InRange(rig.Time.GetUtcNow() - start, rig.Options.UnlistedGrace, rig.Options.LeaseDuration);
        Assert.Equal(2, (await rig.PassTimeUntilNextAsync(a)).Lease.Epoch);
    }

    [Fact]
    public async Task A_leaving_node_gives_its_work_back_at_once()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(8);
        var left = await a.NextAsync();
        await b.FinishAsync(rig, await b.NextAsync());

        var answer = await a.HeartbeatAsync(rig, leaving: true);

        Assert.Equal([left.Lease], answer.Revoked);
        var again = await b.NextAsync();
        Assert.Equal((left.Lease.Shard, 2), (again.Lease.Shard, again.Lease.Epoch));
        await b.FinishAsync(rig, again);
        await rig.AssertCompleteAsync(job, 8);
    }

    [Fact]
    public async Task Work_that_keeps_failing_moves_between_devices_and_then_fails_its_job_with_the_last_reason()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var failing = Task.WhenAll(FailAllAsync(rig, a), FailAllAsync(rig, b));

        var job = await rig.SubmitAsync(4);
        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed), a, b);

        var record = await rig.JobAsync(job);
        Assert.Equal((JobState.Failed, "worker_lost: It did not work."), (record.State, record.End?.Message));
        var tries = events.Where(e => e.Kind == JobEventKind.ShardStarted).ToList();
        Assert.Equal(RetryPolicy.Default.MaxAttempts, tries.Count);
        for (var i = 1; i < tries.Count; i++)
            Assert.NotEqual(tries[i - 1].Device, tries[i].Device);
        Assert.Single(events, e => e.Kind == JobEventKind.ShardFailed);
        Assert.False(failing.IsFaulted);
    }

    [Fact]
    public async Task A_failure_that_no_other_device_can_mend_ends_the_job_and_stops_its_other_shards()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        var job = await rig.SubmitAsync(100);
        var (onA, onB) = (await a.NextAsync(), await b.NextAsync());

        Assert.Equal(ReportReply.Accepted, await a.FailAsync(rig, onA, "model_invalid", retryable: false));

        Assert.Equal(JobState.Failed, (await rig.JobAsync(job)).State);
        Assert.Equal(ReportReply.Fenced, await b.FinishAsync(rig, onB));
        Assert.Equal(onB.Lease, await b.NextStoppedAsync());
    }

    [Fact]
    public async Task A_refused_shard_is_tried_again_and_does_not_count_as_failed()
    {
        var a = new FakeAgent("a");
        var refusals = 8;
        a.OnStart = _ =>
            Interlocked.Decrement(ref refusals) >= 0 ? new Refusal(RefusalCode.DeviceBusy, "Not now.") : null;
        await using var rig = await Rig.StartAsync(a);
        _ = a.WorkAsync(rig);

        var job = await rig.SubmitAsync(4);
        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Succeeded), a);

        await rig.AssertCompleteAsync(job, 4);
        Assert.Equal(8, events.Count(e => e.Kind == JobEventKind.ShardRequeued));
    }

    [Fact]
    public async Task A_device_that_cannot_be_reached_gives_way_to_one_that_can()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b") { TokensPerSecond = 1 });
        a.TokensPerSecond = 100;
        a.OnStart = _ => throw new NodeOfflineException("a");
        await using var rig = await Rig.StartAsync(a, b);
        _ = b.WorkAsync(rig);

        var job = await rig.SubmitAsync(4);
        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Succeeded), a, b);

        await rig.AssertCompleteAsync(job, 4);
        Assert.Empty(a.Started);
    }

    [Fact]
    public async Task A_device_that_finishes_without_doing_anything_fails_the_job_in_the_end()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var lazy = FinishWithNothingAsync(rig, a);

        var job = await rig.SubmitAsync(4);
        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed), a);

        await lazy;
        Assert.StartsWith("nothing_done", (await rig.JobAsync(job)).End?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_with_foreign_items_or_that_cannot_be_stored_fails_only_its_shard()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var other = await rig.SubmitAsync(1);
        var first = await a.NextAsync();
        var foreign = first with { Items = [new BatchItem(99, "r-99", "?", Messages: null)] };
        await a.FinishAsync(rig, foreign);
        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued), a);
        Assert.Equal(0, (await rig.JobAsync(job)).CompletedItems);

        var second = await rig.PassTimeUntilNextAsync(a);
        rig.Ledger.Rejects = operation => operation is Ports.LedgerOperation.RecordResults { Results.Count: > 0 };
        Assert.Equal(ReportReply.Fenced, await a.FinishAsync(rig, second));
        rig.Ledger.Rejects = _ => false;

        _ = a.WorkAsync(rig);
        await rig.PassTimeUntilAsync(other, e => Rig.Has(e, JobEventKind.Succeeded), a);
        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 4);
        Assert.True(rig.Loop.IsLeading);
    }

    private static async Task FinishWithNothingAsync(Rig rig, FakeAgent agent)
    {
        for (var i = 0; i < RetryPolicy.Default.MaxAttempts; i++)
        {
            var work = await agent.NextAsync();
            await agent.ReportAsync(rig, work, 0, finished: true);
        }
    }

    private static async Task FailAllAsync(Rig rig, FakeAgent agent)
    {
        while (true)
            await agent.FailAsync(rig, await agent.NextAsync(), "worker_lost", retryable: true);
    }
}
