using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>What must fail when the ledger's clock, or its look at dependencies, is taken out.</summary>
internal static class ClockChecks
{
    public static async Task Only_the_clock_of_the_database_expires_a_job(LedgerRig rig)
    {
        var late = rig.Spec(LedgerRig.NewId(), 1);
        late = late with { Rules = late.Rules with { Deadline = DateTimeOffset.UnixEpoch } };
        var early = rig.Spec(LedgerRig.NewId(), 1);
        var rules = early.Rules with { Deadline = new DateTimeOffset(2200, 1, 1, 0, 0, 0, TimeSpan.Zero) };
        early = early with { Rules = rules with { MaxRunTime = TimeSpan.FromDays(1000) } };
        var brief = rig.Spec(LedgerRig.NewId(), 1);
        brief = brief with { Rules = brief.Rules with { MaxRunTime = TimeSpan.FromMilliseconds(1) } };
        foreach (var spec in new[] { late, early, brief })
            Assert.True((await rig.CommitAsync(LedgerRig.Inline(spec))).Applied);
        Assert.False(await ExpireAsync(early, JobEndCode.DeadlineExceeded));
        Assert.False(await ExpireAsync(brief, JobEndCode.RunTimeExceeded));
        Assert.False(await ExpireAsync(brief, JobEndCode.DeadlineExceeded));
        foreach (var spec in new[] { early, brief })
            Assert.True((await rig.CommitAsync(new LedgerOperation.StartJob(spec.Id))).Applied);
        Assert.False(await ExpireAsync(early, JobEndCode.RunTimeExceeded));
        Assert.True(await ExpireAsync(late, JobEndCode.DeadlineExceeded));
        Assert.False(await ExpireAsync(late, JobEndCode.DeadlineExceeded));
        // A millisecond passes on every clock.
        while (!await ExpireAsync(brief, JobEndCode.RunTimeExceeded))
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
        Assert.Equal(JobEndCode.DeadlineExceeded, (await rig.FindAsync(late.Id)).End?.Code);
        Assert.Equal(JobEndCode.RunTimeExceeded, (await rig.FindAsync(brief.Id)).End?.Code);
        Assert.Equal(JobState.Running, (await rig.FindAsync(early.Id)).State);

        async Task<bool> ExpireAsync(JobSpec spec, JobEndCode code) =>
            (await rig.CommitAsync(new LedgerOperation.ExpireJob(spec.Id, new JobEnd(code, "Too late.")))).Applied;
    }

    public static async Task A_job_is_unblocked_only_when_its_dependencies_are_met(LedgerRig rig)
    {
        var shard = await rig.SubmitLeasedAsync(1);
        var waiting = rig.Spec(LedgerRig.NewId(), 1).After((shard.Job, DependencyCondition.AfterOk));
        Assert.Equal(JobState.Blocked, (await rig.CommitAsync(LedgerRig.Inline(waiting))).State);
        Assert.False((await rig.CommitAsync(new LedgerOperation.UnblockJob(waiting.Id))).Applied);
        Assert.True((await rig.CommitAsync(LedgerRig.Cancel(shard.Job))).Applied);
        Assert.False((await rig.CommitAsync(new LedgerOperation.UnblockJob(waiting.Id))).Applied);
        Assert.Equal(JobState.Blocked, (await rig.FindAsync(waiting.Id)).State);
    }
}
