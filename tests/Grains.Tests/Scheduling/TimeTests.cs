using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Deadlines, run times and waits before another try, all by the database's clock.</summary>
public sealed class TimeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_job_that_waits_past_its_deadline_has_failed()
    {
        await using var rig = await Rig.StartAsync();
        var deadline = rig.Time.GetUtcNow() + (20 * Second);
        var queued = await rig.SubmitNoopAsync(rules: JobRules.Default with { Deadline = deadline });
        var held = await rig.SubmitNoopAsync(rules: JobRules.Default with { Deadline = deadline, StartsHeld = true });

        foreach (var job in new[] { queued, held })
        {
            var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed));
            Assert.InRange(events[^1].At, deadline, deadline + (5 * Second));
            Assert.Equal(JobEndCode.DeadlineExceeded, (await rig.JobAsync(job)).End!.Code);
        }
    }

    [Fact]
    public async Task A_job_that_runs_too_long_is_stopped_and_has_failed()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitNoopAsync(rules: JobRules.Default with { MaxRunTime = 30 * Second });
        var work = await a.NextAsync();
        var start = (await rig.JobAsync(job)).StartedAt!.Value;

        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed), a);

        Assert.InRange(events[^1].At, start + (30 * Second), start + (35 * Second));
        Assert.Equal(JobEndCode.RunTimeExceeded, (await rig.JobAsync(job)).End!.Code);
        Assert.Equal(work.Lease, await a.NextStoppedAsync());
    }

    [Fact]
    public async Task A_run_time_is_counted_on_by_the_next_leader()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitNoopAsync(rules: JobRules.Default with { MaxRunTime = 30 * Second });
        await a.NextAsync();
        var start = (await rig.JobAsync(job)).StartedAt!.Value;
        await rig.ReplaceLeaderAsync();

        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed), a);

        Assert.InRange(events[^1].At, start + (30 * Second), start + (36 * Second));
    }

    [Fact]
    public async Task An_end_that_the_ledger_finds_too_early_is_asked_for_again()
    {
        await using var rig = await Rig.StartAsync();
        var deadline = rig.Time.GetUtcNow() + (20 * Second);
        rig.Ledger.ClockAhead = 8 * Second;
        var job = await rig.SubmitNoopAsync(rules: JobRules.Default with { Deadline = deadline });

        var events = await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Failed));

        Assert.InRange(events[^1].At, deadline, deadline + (5 * Second));
        var asked = rig.Ledger.Sent.SelectMany(sent => sent).OfType<LedgerOperation.ExpireJob>().Count();
        Assert.InRange(asked, 2, 20);
    }

    [Fact]
    public async Task Each_further_try_waits_twice_as_long()
    {
        var a = new FakeAgent("a") { NoopSlots = 4 };
        await using var rig = await Rig.StartAsync(a);
        var retry = new RetryPolicy(4, 4 * Second, 10 * Second);
        var job = await rig.SubmitNoopAsync(rules: JobRules.Default with { Retry = retry });

        var failedAt = new List<DateTimeOffset>();
        for (var i = 0; i < 4; i++)
        {
            var work = await rig.PassTimeUntilNextAsync(a);
            if (i > 0)
                Assert.InRange(
                    rig.Time.GetUtcNow() - failedAt[^1],
                    retry.BackoffAfter(i),
                    retry.BackoffAfter(i) + (3 * Second)
                );
            await a.FailAsync(rig, work, "noop_interrupted", retryable: true);
            failedAt.Add(rig.Time.GetUtcNow());
            if (i == 0)
                Assert.Equal(RefusalCode.BackingOff, (await rig.Loop.ExplainWaitingAsync([job]))[job].Code);
        }

        var record = await rig.JobAsync(job);
        Assert.Equal((JobState.Failed, JobEndCode.RetriesExhausted), (record.State, record.End!.Code));
    }

    [Fact]
    public async Task A_wait_before_another_try_outlives_its_leader()
    {
        var a = new FakeAgent("a") { NoopSlots = 4 };
        await using var rig = await Rig.StartAsync(a);
        var retry = new RetryPolicy(3, 60 * Second, 60 * Second);
        await rig.SubmitNoopAsync(rules: JobRules.Default with { Retry = retry });
        await a.FailAsync(rig, await a.NextAsync(), "noop_interrupted", retryable: true);
        var failedAt = rig.Time.GetUtcNow();

        await rig.ReplaceLeaderAsync();
        var work = await rig.PassTimeUntilNextAsync(a);

        Assert.Equal(2, work.Lease.Epoch);
        Assert.InRange(rig.Time.GetUtcNow() - failedAt, 60 * Second, 70 * Second);
    }

    [Fact]
    public async Task A_failure_that_no_try_would_change_ends_the_job_at_once()
    {
        var a = new FakeAgent("a") { NoopSlots = 4 };
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitNoopAsync();

        await a.FailAsync(rig, await a.NextAsync(), "noop_failed", retryable: false);

        var record = await rig.JobAsync(job);
        Assert.Equal((JobState.Failed, JobEndCode.WorkFailed), (record.State, record.End!.Code));
        await rig.SubmitNoopAsync();
        await a.NextAsync();
    }
}
