using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Jobs that wait for others to end.</summary>
public sealed class DependencyTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_runs_once_all_it_depends_on_has_ended_as_it_must()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);
        var (first, second) = (await rig.SubmitNoopAsync(), await rig.SubmitNoopAsync());
        var after = await rig.SubmitNoopAsync(rules: After((first, Ok), (second, Any)));
        var (onFirst, onSecond) = (await a.NextAsync(), await a.NextAsync());

        var why = (await rig.Loop.ExplainWaitingAsync([after]))[after];
        Assert.Equal((RefusalCode.WaitingForDependency, first), (why.Code, why.BlockedBy));
        await a.FinishAsync(rig, onFirst);
        Assert.Equal(second, (await rig.Loop.ExplainWaitingAsync([after]))[after].BlockedBy);
        await a.FailAsync(rig, onSecond, "broken", retryable: false);

        var work = await a.NextAsync();
        Assert.Equal(after, work.Lease.Shard.Job);
        await a.FinishAsync(rig, work);
        await rig.AssertCompleteAsync(after, 1);
        Assert.True(Rig.Has(await rig.EventsAsync(after), JobEventKind.Unblocked));
    }

    [Fact]
    public async Task A_chain_ends_with_its_first_failure()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var chain = new List<JobId> { await rig.SubmitNoopAsync() };
        for (var i = 0; i < 50; i++)
            chain.Add(await rig.SubmitNoopAsync(rules: After((chain[^1], Ok))));
        var cleanUp = await rig.SubmitNoopAsync(rules: After((chain[^1], Any)));

        await a.FailAsync(rig, await a.NextAsync(), "broken", retryable: false);

        var work = await a.NextAsync();
        Assert.Equal(cleanUp, work.Lease.Shard.Job);
        foreach (var (job, before) in chain.Skip(1).Zip(chain))
        {
            var record = await rig.JobAsync(job);
            Assert.Equal((JobState.Cancelled, JobEndCode.DependencyFailed), (record.State, record.End!.Code));
            Assert.Contains(before.ToString(), record.End.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_dependency_that_has_ended_already_decides_at_the_submit()
    {
        var a = new FakeAgent("a") { NoopSlots = 4 };
        await using var rig = await Rig.StartAsync(a);
        var good = await rig.SubmitNoopAsync();
        await a.FinishAsync(rig, await a.NextAsync());
        var bad = await rig.SubmitNoopAsync();
        await rig.Loop.CancelAsync(bad, Token);
        a.Running.Clear();

        var runs = await rig.SubmitNoopAsync(rules: After((good, Ok), (bad, Any)));
        var never = await rig.SubmitNoopAsync(rules: After((bad, Ok)));

        await rig.UntilAsync(runs, e => Rig.Has(e, JobEventKind.Started));
        await rig.UntilAsync(never, e => Rig.Has(e, JobEventKind.Cancelled));
        Assert.Equal(JobEndCode.DependencyFailed, (await rig.JobAsync(never)).End!.Code);
    }

    [Fact]
    public async Task A_dependency_that_does_not_exist_is_a_refusal_that_names_it()
    {
        await using var rig = await Rig.StartAsync();
        var nobody = JobId.New(rig.Time.GetUtcNow());
        var request = rig.Noop(rules: After((nobody, Ok)));

        var reply = await rig.Loop.SubmitAsync(request, Token);

        Assert.Equal(SubmitOutcome.Refused, reply.Outcome);
        Assert.Equal((RefusalCode.UnknownDependency, nobody), (reply.Refusal!.Code, reply.Refusal.BlockedBy));
        Assert.Null(await rig.Ledger.FindJobAsync(request.Spec.Id, Token));
    }

    [Fact]
    public async Task Jobs_of_one_call_may_depend_on_those_before_them()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        var first = rig.Noop();
        var second = rig.Noop(rules: After((first.Spec.Id, Ok)));

        await rig.SubmitAsync(first, second);
        await a.FinishAsync(rig, await a.NextAsync());

        Assert.Equal(second.Spec.Id, (await a.NextAsync()).Lease.Shard.Job);
    }

    [Fact]
    public async Task A_held_job_is_released_into_waiting_for_what_it_depends_on()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);
        var first = await rig.SubmitNoopAsync();
        var work = await a.NextAsync();
        var after = await rig.SubmitNoopAsync(rules: After((first, Ok)));
        await rig.Loop.SteerAsync(after, JobSteering.Hold, Token);

        var released = await rig.Loop.SteerAsync(after, JobSteering.Release, Token);
        Assert.Equal((true, JobState.Blocked), (released.Applied, released.Job!.State));
        await rig.Loop.SteerAsync(after, JobSteering.Hold, Token);
        await a.FinishAsync(rig, work);
        Assert.Equal(JobState.Held, (await rig.JobAsync(after)).State);
        await rig.Loop.SteerAsync(after, JobSteering.Release, Token);

        Assert.Equal(after, (await a.NextAsync()).Lease.Shard.Job);
    }

    [Fact]
    public async Task A_new_leader_goes_on_where_the_old_one_had_not_told_those_that_waited()
    {
        var a = new FakeAgent("a") { NoopSlots = 2 };
        await using var rig = await Rig.StartAsync(a);
        var (good, bad) = (await rig.SubmitNoopAsync(), await rig.SubmitNoopAsync());
        var runs = await rig.SubmitNoopAsync(rules: After((good, Ok)));
        var never = await rig.SubmitNoopAsync(rules: After((bad, Ok)));
        var later = await rig.SubmitNoopAsync(rules: After((never, Any), (runs, Ok)));
        var (onGood, onBad) = (await a.NextAsync(), await a.NextAsync());
        rig.Ledger.Loses = operation => operation is LedgerOperation.UnblockJob or LedgerOperation.EndJob;

        await a.FinishAsync(rig, onGood);
        await Assert.ThrowsAsync<PoolUnavailableException>(() => a.FailAsync(rig, onBad, "broken", retryable: false));
        rig.Ledger.Loses = _ => false;
        await rig.UntilLeadingAsync();
        await rig.HearAllAsync();
        await a.FailAsync(rig, onBad, "broken", retryable: false);

        await rig.UntilAsync(never, e => Rig.Has(e, JobEventKind.Cancelled));
        _ = a.WorkAsync(rig);
        await rig.PassTimeUntilAsync(later, e => Rig.Has(e, JobEventKind.Succeeded), a);
        await rig.AssertCompleteAsync(runs, 1);
    }

    private const DependencyCondition Ok = DependencyCondition.AfterOk;
    private const DependencyCondition Any = DependencyCondition.AfterAny;

    private static JobRules After(params (JobId Job, DependencyCondition How)[] on) =>
        JobRules.Default with
        {
            DependsOn = [.. on.Select(one => new JobDependency(one.Job, one.How))],
        };
}
