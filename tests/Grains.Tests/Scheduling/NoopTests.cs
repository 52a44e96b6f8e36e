using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Many small jobs at once: slots, batches, and what is read and written for them.</summary>
public sealed class NoopTests
{
    [Fact]
    public async Task A_device_runs_as_many_no_ops_as_it_has_slots_beside_a_shard_of_a_model()
    {
        var a = new FakeAgent("a") { NoopSlots = 3 };
        await using var rig = await Rig.StartAsync(a);
        var batch = await rig.SubmitAsync(4);
        var jobs = await rig.SubmitAsync([.. Enumerable.Range(0, 5).Select(_ => rig.Noop())]);

        var first = new[] { await a.NextAsync(), await a.NextAsync(), await a.NextAsync(), await a.NextAsync() };

        Assert.Equal(jobs[..3].Append(batch).ToHashSet(), first.Select(work => work.Lease.Shard.Job).ToHashSet());
        var why = await rig.Loop.ExplainWaitingAsync(jobs);
        Assert.Equal(jobs[3..].ToHashSet(), why.Keys.ToHashSet());
        Assert.Equal((RefusalCode.WaitingForPriority, jobs[3]), (why[jobs[4]].Code, why[jobs[4]].BlockedBy));
        foreach (var work in first)
            await a.FinishAsync(rig, work);
        _ = a.WorkAsync(rig);
        foreach (var job in jobs)
        {
            await rig.UntilSucceededAsync(job);
            await rig.AssertCompleteAsync(job, 1);
        }
    }

    [Fact]
    public async Task Jobs_of_one_call_are_committed_together_and_what_they_need_is_not_read_again()
    {
        var a = new FakeAgent("a") { NoopSlots = 64 };
        await using var rig = await Rig.StartAsync(a);

        var jobs = await rig.SubmitAsync([.. Enumerable.Range(0, 64).Select(_ => rig.Noop())]);
        for (var i = 0; i < 64; i++)
            await a.NextAsync();

        Assert.Single(rig.Ledger.Sent, sent => sent.Any(operation => operation is LedgerOperation.SubmitJob));
        var plan = Assert.Single(
            rig.Ledger.Sent,
            sent => sent.Any(operation => operation is LedgerOperation.StartShard)
        );
        Assert.Equal(64, plan.Count(operation => operation is LedgerOperation.StartJob));
        Assert.Equal(0, rig.Ledger.WorkReads);
        Assert.Equal(jobs.Order(ById), a.Started.Select(work => work.Lease.Shard.Job).Order(ById));
    }

    [Fact]
    public async Task A_job_that_nobody_keeps_from_starting_starts_with_its_submit()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);

        var job = await rig.SubmitNoopAsync();

        var work = await a.NextAsync();
        Assert.Equal(
            ["SubmitJob", "StartJob", "StartShard"],
            Assert.Single(rig.Ledger.Sent).Select(operation => operation.GetType().Name)
        );
        await a.FinishAsync(rig, work);
        await rig.AssertCompleteAsync(job, 1);
    }

    [Fact]
    public async Task A_start_that_went_with_a_refused_submit_takes_no_slot()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var key = new IdempotencyKey("k", "body");
        var token = TestContext.Current.CancellationToken;
        var first = await rig.Loop.SubmitAsync(rig.Noop() with { IdempotencyKey = key }, token);
        await a.FinishAsync(rig, await a.NextAsync());

        var replay = await rig.Loop.SubmitAsync(rig.Noop() with { IdempotencyKey = key }, token);
        var bad = rig.Noop();
        rig.Ledger.Rejects = operation => operation is LedgerOperation.SubmitJob;
        var refused = await rig.Loop.SubmitAsync(bad, token);
        rig.Ledger.Rejects = _ => false;

        Assert.Equal((SubmitOutcome.Replayed, first.Job), (replay.Outcome, replay.Job));
        Assert.Equal(SubmitOutcome.Refused, refused.Outcome);
        var next = await rig.SubmitNoopAsync();
        Assert.Equal(next, (await a.NextAsync()).Lease.Shard.Job);
        Assert.True(rig.Loop.IsLeading);
    }

    [Fact]
    public async Task What_is_not_in_memory_is_read_for_many_jobs_in_one_query()
    {
        var a = new FakeAgent("a") { NoopSlots = 64 };
        await using var rig = await Rig.StartAsync(new Grains.Scheduling.SchedulingOptions { WorkCacheBytes = 0 });
        rig.Join(a);

        await rig.SubmitAsync([.. Enumerable.Range(0, 64).Select(_ => rig.Noop())]);
        await a.HeartbeatAsync(rig);
        for (var i = 0; i < 64; i++)
            Assert.Equal("payload 0", (await a.NextAsync()).Items.Single().Prompt);

        Assert.Equal(1, rig.Ledger.WorkReads);
    }

    [Fact]
    public async Task Plans_do_not_wait_for_each_other()
    {
        var (a, b) = (new FakeAgent("a") { NoopSlots = 2 }, new FakeAgent("b") { NoopSlots = 2 });
        await using var rig = await Rig.StartAsync();
        rig.Join(a, b);
        await rig.SubmitAsync([.. Enumerable.Range(0, 6).Select(_ => rig.Noop())]);
        rig.Ledger.Hold();

        await a.HeartbeatAsync(rig);
        await rig.Ledger.UntilHeldAsync(1);
        await b.HeartbeatAsync(rig);
        await rig.Ledger.UntilHeldAsync(2);

        Assert.Empty(a.Started);
        rig.Ledger.LetGo();
        foreach (var agent in new[] { a, a, b, b })
            await agent.NextAsync();
        Assert.Equal(2, a.Started.Count);
    }

    [Fact]
    public async Task An_array_spreads_over_all_slots_in_guided_shards()
    {
        var (a, b) = (new FakeAgent("a") { NoopSlots = 4 }, new FakeAgent("b") { NoopSlots = 4 });
        await using var rig = await Rig.StartAsync(a, b);
        _ = a.WorkAsync(rig);
        _ = b.WorkAsync(rig);

        var job = await rig.SubmitNoopAsync(500);

        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 500);
        Assert.NotEmpty(a.Started);
        Assert.NotEmpty(b.Started);
        Assert.Equal(32, a.Started.Concat(b.Started).Max(work => work.Items.Count));
    }

    [Fact]
    public async Task No_more_shards_of_a_job_run_at_once_than_it_allows()
    {
        var a = new FakeAgent("a") { NoopSlots = 64 };
        await using var rig = await Rig.StartAsync(a);

        var job = await rig.SubmitNoopAsync(100, rules: JobRules.Default with { MaxParallel = 2 });
        var (first, second) = (await a.NextAsync(), await a.NextAsync());

        var why = await rig.Loop.ExplainWaitingAsync([job]);
        Assert.Equal(RefusalCode.MaxParallelReached, why[job].Code);
        Assert.Equal(2, a.Started.Count);
        await a.FinishAsync(rig, first);
        var third = await a.NextAsync();
        Assert.Equal(2, a.Running.Count);
        await a.FinishAsync(rig, second);
        await a.FinishAsync(rig, third);
        _ = a.WorkAsync(rig);
        await rig.UntilSucceededAsync(job);
        await rig.AssertCompleteAsync(job, 100);
    }

    [Fact]
    public async Task A_submit_that_cannot_be_stored_is_refused_alone()
    {
        var a = new FakeAgent("a") { NoopSlots = 8 };
        await using var rig = await Rig.StartAsync(a);
        var requests = Enumerable.Range(0, 3).Select(_ => rig.Noop()).ToArray();
        var bad = requests[1].Spec.Id;
        rig.Ledger.Rejects = operation => operation is LedgerOperation.SubmitJob submit && submit.Spec.Id == bad;

        var replies = await rig.Loop.SubmitAsync(requests, TestContext.Current.CancellationToken);

        Assert.Equal(
            [SubmitOutcome.Accepted, SubmitOutcome.Refused, SubmitOutcome.Accepted],
            replies.Select(reply => reply.Outcome)
        );
        Assert.Equal(RefusalCode.TooLarge, replies[1].Refusal?.Code);
    }

    private static readonly Comparer<JobId> ById = Comparer<JobId>.Create((x, y) => x.Value.CompareTo(y.Value));
}
