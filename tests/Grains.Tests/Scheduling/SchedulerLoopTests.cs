using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

public sealed class SchedulerLoopTests
{
    [Fact]
    public async Task Two_hundred_items_over_two_devices_have_one_result_each()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        _ = a.WorkAsync(rig);
        _ = b.WorkAsync(rig);

        var job = await rig.SubmitAsync(200);

        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 200);
        Assert.NotEmpty(a.Started);
        Assert.NotEmpty(b.Started);
        var indexes = a.Started.Concat(b.Started).SelectMany(work => work.Items).Select(item => item.Index);
        Assert.Equal(Enumerable.Range(0, 200), indexes.Order());
    }

    [Fact]
    public async Task Jobs_run_by_priority_and_then_in_the_order_they_came()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var first = await rig.SubmitAsync(4);
        var running = await a.NextAsync();
        var second = await rig.SubmitAsync(4);
        var urgent = await rig.SubmitAsync(4, priority: 10);
        var why = await rig.Loop.ExplainWaitingAsync([first, second, urgent]);
        Assert.Equal(new HashSet<JobId> { second, urgent }, why.Keys.ToHashSet());
        Assert.All(why.Values, refusal => Assert.Equal(RefusalCode.WaitingForPriority, refusal.Code));

        await a.FinishAsync(rig, running);
        var next = await a.NextAsync();
        await a.FinishAsync(rig, next);
        var last = await a.NextAsync();
        await a.FinishAsync(rig, last);

        Assert.Equal([first, urgent, second], new[] { running, next, last }.Select(work => work.Lease.Shard.Job));
        await rig.AssertCompleteAsync(second, 4);
    }

    [Fact]
    public async Task A_shard_too_large_for_one_assignment_goes_out_in_several()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(new Grains.Scheduling.SchedulingOptions { MaxShardBytes = 1 }, a);
        _ = a.WorkAsync(rig);

        var job = await rig.SubmitAsync(6);

        var events = await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 6);
        Assert.All(a.Started, work => Assert.Single(work.Items));
        Assert.Contains(events, e => e.Kind == JobEventKind.ShardRequeued);
    }

    [Fact]
    public async Task A_full_pool_refuses_and_takes_again_when_a_job_has_ended()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(new Grains.Scheduling.SchedulingOptions { MaxActiveJobs = 1 }, a);
        var first = await rig.SubmitAsync(2);
        var running = await a.NextAsync();

        var refused = await rig.Loop.SubmitAsync(rig.Noop(), TestContext.Current.CancellationToken);
        await a.FinishAsync(rig, running);
        await rig.UntilSucceededAsync(first);
        var taken = await rig.Loop.SubmitAsync(rig.Noop(), TestContext.Current.CancellationToken);

        Assert.Equal((SubmitOutcome.Refused, RefusalCode.PoolFull), (refused.Outcome, refused.Refusal!.Code));
        Assert.Equal(SubmitOutcome.Accepted, taken.Outcome);
    }

    [Fact]
    public async Task A_key_used_again_gives_the_same_job_or_a_refusal()
    {
        await using var rig = await Rig.StartAsync();
        var first = await rig.StageAsync(1);
        var again = await rig.StageAsync(1);
        var token = TestContext.Current.CancellationToken;

        await rig.Loop.SubmitAsync(new SubmitRequest(first, new IdempotencyKey("k", "body"), null), token);
        var replay = await rig.Loop.SubmitAsync(new SubmitRequest(again, new IdempotencyKey("k", "body"), null), token);
        var reused = await rig.Loop.SubmitAsync(
            new SubmitRequest(again, new IdempotencyKey("k", "other"), null),
            token
        );
        var resent = await rig.Loop.SubmitAsync(new SubmitRequest(first, null, null), token);

        Assert.Equal(new SubmitReply(SubmitOutcome.Replayed, first.Id), replay);
        Assert.Equal(new SubmitReply(SubmitOutcome.KeyReused, first.Id), reused);
        Assert.Equal(new SubmitReply(SubmitOutcome.Accepted, first.Id), resent);
    }

    [Fact]
    public async Task A_submit_that_cannot_run_is_refused_with_its_reason()
    {
        await using var rig = await Rig.StartAsync();
        var token = TestContext.Current.CancellationToken;
        var spec = await rig.StageAsync(1);

        var unknown = await rig.Loop.SubmitAsync(
            new SubmitRequest(spec with { Model = spec.Model! with { Sha256 = "no" } }, null, null),
            token
        );
        var large = await rig.Loop.SubmitAsync(
            new SubmitRequest(spec with { ItemCount = Limits.MaxItemsPerJob + 1 }, null, null),
            token
        );

        Assert.Equal(RefusalCode.ModelNotFound, unknown.Refusal?.Code);
        Assert.Equal(RefusalCode.TooLarge, large.Refusal?.Code);
        var notStaged = spec with { Id = JobId.New(rig.Time.GetUtcNow()) };
        await Assert.ThrowsAsync<PoolUnavailableException>(() =>
            rig.Loop.SubmitAsync(new SubmitRequest(notStaged, null, null), token)
        );
    }

    [Fact]
    public async Task A_cancelled_job_stops_its_shards_and_frees_its_device()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(40);
        var work = await a.NextAsync();
        await a.ReportAsync(rig, work, 2);

        var record = await rig.Loop.CancelAsync(job, TestContext.Current.CancellationToken);

        Assert.Equal((JobState.Cancelled, 2), (record!.State, record.CompletedItems));
        Assert.Equal(ReportReply.Fenced, await a.FinishAsync(rig, work));
        var next = await rig.SubmitAsync(1);
        await a.FinishAsync(rig, await a.NextAsync());
        await rig.AssertCompleteAsync(next, 1);
        Assert.Equal(work.Lease, await a.NextStoppedAsync());
        var again = await rig.Loop.CancelAsync(job, TestContext.Current.CancellationToken);
        Assert.Equal(JobState.Cancelled, again!.State);
        Assert.Null(await rig.Loop.CancelAsync(JobId.New(rig.Time.GetUtcNow()), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Reports_go_to_the_ledger_side_by_side_and_come_back_in_order()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(400);
        var work = await a.NextAsync();
        Assert.Equal(200, work.Items.Count);
        rig.Ledger.Hold();

        var reports = Enumerable.Range(0, 100).Select(i => a.ReportAsync(rig, work, 1, skip: i)).ToList();
        var rest = a.ReportAsync(rig, work, 100, finished: true, skip: 100);
        await rig.Ledger.UntilHeldAsync(101);

        Assert.All(reports, report => Assert.False(report.IsCompleted));
        rig.Ledger.LetGo();
        Assert.All(await Task.WhenAll(reports), reply => Assert.Equal(ReportReply.Accepted, reply));
        Assert.Equal(ReportReply.Accepted, await rest);
        Assert.Equal(200, (await rig.JobAsync(job)).CompletedItems);
        Assert.Equal(200, (await a.NextAsync()).Items[0].Index);
    }

    [Fact]
    public async Task A_waiter_for_events_is_woken_by_the_next_one()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(1);
        var work = await a.NextAsync();
        var last = (await rig.EventsAsync(job))[^1].Sequence;
        var token = TestContext.Current.CancellationToken;

        var waiting = rig.Loop.WaitForEventsAsync(job, last, token);
        Assert.False(waiting.IsCompleted);
        await rig.Loop.WaitForEventsAsync(job, last - 1, token);
        await a.FinishAsync(rig, work);

        await waiting.WaitAsync(Rig.Patience, token);
        var silent = rig.Loop.WaitForEventsAsync(job, long.MaxValue, token);
        rig.Time.Advance(rig.Options.EventWait);
        await silent.WaitAsync(Rig.Patience, token);
    }

    [Fact]
    public async Task The_device_joins_the_trace_of_the_submitting_request()
    {
        using var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = source => source.Name == Grains.Scheduling.FleetTracing.SourceName,
            Sample = (ref _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        const string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

        await rig.SubmitAsync(1, traceParent: trace);

        var parent = (await a.NextAsync()).TraceParent;
        Assert.StartsWith(trace[..36], parent, StringComparison.Ordinal);
        Assert.NotEqual(trace, parent);
    }

    [Fact]
    public async Task Interactive_requests_are_routed_by_what_devices_last_said()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a, b);
        await b.HeartbeatAsync(rig, state: DeviceState.Failed);

        var route = await rig.Loop.RouteAsync(new RouteRequest(rig.Model, []));
        var none = await rig.Loop.RouteAsync(new RouteRequest(rig.Model, [a.Device]));

        Assert.Equal(a.Device, route.Placement?.Device);
        Assert.Equal(RefusalCode.NoMatchingDevice, none.Refusal?.Code);
    }
}
