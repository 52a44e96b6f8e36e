using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Work that kills the worker it runs in: it ends after so many tries, and others do not suffer for it.</summary>
public sealed class PoisonTests
{
    [Fact]
    public async Task A_job_that_kills_every_worker_ends_typed_and_those_beside_it_succeed()
    {
        var (a, b) = (new FakeAgent("a") { NoopSlots = 8 }, new FakeAgent("b") { NoopSlots = 8 });
        await using var rig = await Rig.StartAsync();
        rig.Join(a, b);
        var jobs = await rig.SubmitAsync([.. Enumerable.Range(0, 40).Select(_ => rig.Noop())]);
        var poison = jobs[7];
        await a.HeartbeatAsync(rig);
        await b.HeartbeatAsync(rig);

        for (var i = 0; i < 500 && (await rig.JobAsync(poison)).State != JobState.Failed; i++)
        {
            foreach (var agent in new[] { a, b })
                await DieOrFinishAsync(rig, agent, poison);
            await rig.PassTimeAsync(a, b);
        }

        var end = (await rig.JobAsync(poison)).End;
        Assert.Equal(JobEndCode.RetriesExhausted, end?.Code);
        Assert.StartsWith("worker_lost", end?.Message, StringComparison.Ordinal);
        _ = a.WorkAsync(rig);
        _ = b.WorkAsync(rig);
        foreach (var job in jobs.Where(job => job != poison))
        {
            await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.Succeeded), a, b);
            await rig.AssertCompleteAsync(job, 1);
        }
        var deaths = await rig.EventsAsync(poison);
        Assert.InRange(deaths.Count(e => e.Kind == JobEventKind.ShardStarted), 5, 6);
    }

    [Fact]
    public async Task A_device_whose_worker_died_is_left_alone_for_a_while_and_one_whose_no_op_failed_is_not()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);
        await rig.SubmitNoopAsync();
        await a.FailAsync(rig, await a.NextAsync(), "noop_interrupted", retryable: true);
        var again = await a.NextAsync();

        await a.FailAsync(rig, again, "worker_lost", retryable: true);

        var other = await rig.SubmitNoopAsync();
        Assert.Equal(RefusalCode.DeviceBusy, (await rig.Loop.ExplainWaitingAsync([other]))[other].Code);
        var before = rig.Time.GetUtcNow();
        await rig.PassTimeUntilNextAsync(a);
        Assert.True(rig.Time.GetUtcNow() - before >= rig.Options.DeviceHoldBack);
    }

    // Everything that runs on a device dies with its worker, if the poison is among it.
    private static async Task DieOrFinishAsync(Rig rig, FakeAgent agent, JobId poison)
    {
        var running = agent.Running.Values.ToList();
        if (!running.Exists(work => work.Lease.Shard.Job == poison))
        {
            foreach (var work in running)
                await agent.FinishAsync(rig, work);
            return;
        }
        agent.Running.Clear();
        var failure = new ShardFailure("worker_lost", "The worker ended.", Retryable: true);
        await rig.Loop.ReportAsync([
            .. running.Select(work => new ShardReport(work.Lease, ShardOutcome.Failed, [], failure)),
        ]);
    }
}
