using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres.Retention;
using Npgsql;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>What becomes of jobs long after their end.</summary>
public sealed class RetentionTests(LedgerDatabase database) : IClassFixture<LedgerDatabase>
{
    private static readonly RetentionRules KeepAll = RetentionRules.Default;
    private static readonly RetentionRules ArchiveNow = KeepAll with { FinishedJobs = TimeSpan.Zero };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_archived_job_is_found_and_listed_without_the_rest()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var shard = await rig.SubmitLeasedAsync(2);
        await rig.CommitAsync(
            new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, "a"), LedgerRig.Error(1)])
        );
        await rig.CommitAsync(new LedgerOperation.FinishShard(shard, 1));
        await rig.CommitAsync(new LedgerOperation.SucceedJob(shard.Job));
        var cancelled = await rig.SubmitAsync(1);
        await rig.CommitAsync(LedgerRig.Cancel(cancelled));
        var running = await rig.SubmitLeasedAsync(1);
        var queued = await rig.SubmitAsync(1);
        JobRecord[] before = [await rig.FindAsync(shard.Job), await rig.FindAsync(cancelled)];
        Assert.Equal(0, (await database.Ledger.RetireAsync(KeepAll, Token)).ArchivedJobs);
        Assert.True((await database.Ledger.RetireAsync(ArchiveNow, Token)).ArchivedJobs >= 2);
        JobRecord[] after = [await rig.FindAsync(shard.Job), await rig.FindAsync(cancelled)];
        Assert.Equivalent(before, after, strict: true);
        Assert.Equal(
            [queued, running.Job, cancelled, shard.Job],
            (await rig.ListAsync(state: null, limit: 9)).Select(job => job.Spec.Id)
        );
        Assert.Equal([cancelled], (await rig.ListAsync(JobState.Cancelled, limit: 9)).Select(job => job.Spec.Id));
        await Assert.ThrowsAsync<JobArchivedException>(() => rig.ResultsAsync(shard.Job));
        await Assert.ThrowsAsync<JobArchivedException>(() => database.Ledger.ReadEventsAsync(shard.Job, 0, 10, Token));
        Assert.Empty(await database.Ledger.ReadItemsAsync(shard.Job, 0, 2, 1000, Token));
        Assert.False((await rig.CommitAsync(LedgerRig.Cancel(shard.Job))).Applied);
        Assert.Single(await database.Ledger.LoadActiveAsync(rig.Term.Pool, Token));
        Assert.Equal(0, await CountAsync("item_result", shard.Job) + await CountAsync("shard", shard.Job));
    }

    [Fact]
    public async Task What_unfinished_jobs_depend_on_stays_and_an_archived_job_may_be_depended_on()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var first = await rig.SubmitAsync(1);
        var waiting = rig.Spec(LedgerRig.NewId(), 1).After((first, DependencyCondition.AfterOk));
        await rig.CommitAsync(LedgerRig.Inline(waiting));
        await rig.CommitAsync(LedgerRig.Cancel(first));
        await database.Ledger.RetireAsync(ArchiveNow, Token);
        Assert.Equal(1, await CountAsync("job_event", first, "kind = 8"));
        await rig.CommitAsync(LedgerRig.Cancel(waiting.Id));
        await database.Ledger.RetireAsync(ArchiveNow, Token);
        Assert.Equal(0, await CountAsync("job_event", first, "kind = 8"));
        var after = rig.Spec(LedgerRig.NewId(), 1).After((first, DependencyCondition.AfterAny));
        var outcome = await rig.CommitAsync(LedgerRig.Inline(after));
        Assert.Equal((true, JobState.Queued), (outcome.Applied, outcome.State));
        Assert.Equal([JobState.Cancelled], outcome.Dependencies);
    }

    [Fact]
    public async Task The_archive_and_the_keys_have_their_age_too()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var key = new IdempotencyKey("again", new string('1', 64));
        var first = rig.Spec(LedgerRig.NewId(), 1);
        await rig.CommitAsync(LedgerRig.Inline(first, key));
        await rig.CommitAsync(LedgerRig.Cancel(first.Id));
        await database.Ledger.RetireAsync(ArchiveNow, Token);
        var second = rig.Spec(LedgerRig.NewId(), 1);
        Assert.Equal(first.Id, (await rig.CommitAsync(LedgerRig.Inline(second, key))).ExistingJob);
        var expired = await database.Ledger.RetireAsync(KeepAll with { IdempotencyKeys = TimeSpan.Zero }, Token);
        Assert.True(expired.ExpiredKeys >= 1);
        Assert.True((await rig.CommitAsync(LedgerRig.Inline(second, key))).Applied);
        var forgotten = await database.Ledger.RetireAsync(KeepAll with { ArchivedJobs = TimeSpan.Zero }, Token);
        Assert.True(forgotten.ForgottenJobs >= 1);
        Assert.Null(await database.Ledger.FindJobAsync(first.Id, Token));
    }

    [Fact]
    public async Task More_than_a_batch_goes_in_one_pass()
    {
        var rig = await LedgerRig.CreateAsync(database.Ledger);
        var specs = Enumerable.Range(0, 1200).Select(_ => rig.Spec(LedgerRig.NewId(), 1)).ToList();
        await database.Ledger.CommitAsync(rig.Term, [.. specs.Select(spec => LedgerRig.Inline(spec))], Token);
        await database.Ledger.CommitAsync(rig.Term, [.. specs.Select(spec => LedgerRig.Cancel(spec.Id))], Token);
        await Task.WhenAll(
            database.Ledger.RetireAsync(ArchiveNow, Token),
            database.Ledger.RetireAsync(ArchiveNow, Token)
        );
        await database.Ledger.RetireAsync(ArchiveNow, Token);
        Assert.Equal(0, await CountAsync("job_event", specs[0].Id) + await CountAsync("job_event", specs[^1].Id));
        Assert.Equal(1000, (await rig.ListAsync(JobState.Cancelled, limit: 1000)).Count);
    }

    private async Task<long> CountAsync(string table, JobId job, string condition = "true")
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand($"select count(*) from {table} where job = $1 and {condition}");
        command.Parameters.Add(new() { Value = job.Value });
        return (long)(await command.ExecuteScalarAsync(Token))!;
    }
}
