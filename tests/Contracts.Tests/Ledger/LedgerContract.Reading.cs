using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

public abstract partial class LedgerContract
{
    [Fact]
    public async Task Items_come_without_those_that_have_a_result_and_within_the_bytes()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var job = await rig.SubmitRunningAsync(6, i => new string((char)('a' + i), 10_000));
        var shard = new ShardId(job, 0);
        await rig.CommitAsync(new LedgerOperation.StartShard(shard, 0, 6, LedgerRig.Device("mac-1")));
        await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(2, "done")]));
        Assert.Equal([1, 3, 4], await Indexes(1, 4, 100_000));
        Assert.Equal([0, 1, 3], await Indexes(0, 6, 35_000));
        Assert.Equal([4], await Indexes(4, 2, 1));
        Assert.Empty(await Indexes(2, 1, 100_000));
        Assert.Empty(await Indexes(6, int.MaxValue, 100_000));
        var item = Assert.Single(await Ledger.ReadItemsAsync(job, 5, 1, 1, Token));
        Assert.Equal(new BatchItem(5, "item-5", new string('f', 10_000), null), item);

        async Task<IEnumerable<int>> Indexes(int first, int count, int bytes) =>
            (await Ledger.ReadItemsAsync(job, first, count, bytes, Token)).Select(i => i.Index);
    }

    [Fact]
    public async Task Jobs_are_listed_in_pages_both_ways()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var jobs = new List<JobId>();
        for (var i = 0; i < 5; i++)
            jobs.Add(await rig.SubmitAsync(1));
        await rig.CommitAsync(LedgerRig.Cancel(jobs[1], "x"));
        Assert.Equal([jobs[4], jobs[3]], await Page(null, null, 2, oldestFirst: false));
        Assert.Equal([jobs[2], jobs[1]], await Page(null, jobs[3], 2, oldestFirst: false));
        Assert.Equal([jobs[3], jobs[4]], await Page(null, jobs[2], 9, oldestFirst: true));
        Assert.Equal([jobs[0], jobs[2]], await Page(JobState.Queued, null, 2, oldestFirst: true));
        Assert.Equal([jobs[1]], await Page(JobState.Cancelled, null, 9, oldestFirst: false));
        var other = await LedgerRig.CreateAsync(Ledger);
        Assert.Empty(await Ledger.ListJobsAsync(new JobPageRequest(other.Tenant, null, null, 9, false), Token));

        async Task<IEnumerable<JobId>> Page(JobState? state, JobId? after, int limit, bool oldestFirst)
        {
            var request = new JobPageRequest(rig.Tenant, state, after, limit, oldestFirst);
            return (await Ledger.ListJobsAsync(request, Token)).Select(job => job.Spec.Id);
        }
    }

    [Fact]
    public async Task Events_are_read_after_a_sequence_up_to_a_limit()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var shard = await rig.SubmitLeasedAsync(1);
        var all = await Ledger.ReadEventsAsync(shard.Job, 0, 100, Token);
        Assert.Equal(3, all.Count);
        Assert.True(all[0].Sequence < all[1].Sequence && all[1].Sequence < all[2].Sequence);
        Assert.Equal([all[1]], await Ledger.ReadEventsAsync(shard.Job, all[0].Sequence, 1, Token));
        Assert.Empty(await Ledger.ReadEventsAsync(shard.Job, all[2].Sequence, 10, Token));
        Assert.Empty(await Ledger.ReadEventsAsync(LedgerRig.NewId(), 0, 10, Token));
    }

    [Fact]
    public async Task A_reader_of_results_may_leave_early()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        const int items = 3000;
        var shard = await rig.SubmitLeasedAsync(items);
        var results = Enumerable
            .Range(0, items)
            .Reverse()
            .Select(i => LedgerRig.Text(i, new string('x', 500)))
            .ToList();
        await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, results));
        for (var reader = 0; reader < 20; reader++)
        {
            await foreach (var result in Ledger.ReadResultsAsync(shard.Job, Token))
            {
                if (result.Index == reader)
                    break;
            }
        }
        Assert.Equal(Enumerable.Range(0, items), (await rig.ResultsAsync(shard.Job)).Select(r => r.Index));
    }

    [Fact]
    public async Task A_new_leader_finds_what_the_last_one_left()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var queued = await rig.SubmitAsync(3);
        var running = await rig.SubmitLeasedAsync(2);
        await rig.CommitAsync(new LedgerOperation.RecordResults(running, 1, [LedgerRig.Text(1, "b")]));
        var cancelled = await rig.SubmitAsync(1);
        await rig.CommitAsync(LedgerRig.Cancel(cancelled));
        var backlog = Assert.Single(await Ledger.LoadQueuedAsync(rig.Term.Pool, Token).ToListAsync(Token));
        var spec = rig.Spec(queued, 3);
        Assert.Equal((queued, spec.Kind, spec.Model), (backlog.Id, backlog.Kind, backlog.Model));
        Assert.Equal((spec.Priority, 3, JobState.Queued), (backlog.Priority, backlog.ItemCount, backlog.State));
        Assert.Equal((await rig.FindAsync(queued)).CreatedAt, backlog.CreatedAt);
        var active = Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token));
        var found = await rig.FindAsync(running.Job);
        Assert.Equivalent(found.Spec, active.Spec, strict: true);
        Assert.Equal((found.CreatedAt, found.StartedAt), (active.CreatedAt, active.StartedAt));
        Assert.Equal(
            (JobState.Running, 2, 1, 1),
            (active.State, active.NextItem, active.NextShardNumber, active.CompletedItems)
        );
        var expected = new ActiveShard(running, 0, 2, ShardState.Running, 1, LedgerRig.Device("mac-1"), 0);
        Assert.Equal(expected, Assert.Single(active.Shards));
    }

    [Fact]
    public async Task A_new_leader_knows_on_what_devices_a_job_may_run_and_its_log_where_it_did()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        var choice = new DeviceChoice(DeviceClass.Gpu, DeviceClass.ExternalGpu);
        var spec = rig.Spec(LedgerRig.NewId(), 2) with { Rules = JobRules.Default with { Devices = choice } };
        await rig.CommitAsync(LedgerRig.Inline(spec));
        var plain = await rig.SubmitAsync(1);
        var backlog = await rig.BacklogAsync();
        Assert.Equal(choice, backlog.Single(job => job.Id == spec.Id).Devices);
        Assert.Null(backlog.Single(job => job.Id == plain).Devices);

        var (first, second) = (new ShardId(spec.Id, 0), new ShardId(spec.Id, 1));
        var device = LedgerRig.Device("mac-1");
        await rig.CommitAsync(new LedgerOperation.StartJob(spec.Id));
        await rig.CommitAsync(new LedgerOperation.StartShard(first, 0, 1, device, "not where it was to be"));
        await rig.CommitAsync(new LedgerOperation.StartShard(second, 1, 1, device));
        await rig.CommitAsync(new LedgerOperation.RequeueShard(first, 1, "lost", CountsAsFailure: false, null));
        await rig.CommitAsync(new LedgerOperation.RestartShard(first, 2, device, "nor now"));
        var started = (await Ledger.ReadEventsAsync(spec.Id, 0, 100, Token)).Where(e =>
            e.Kind == JobEventKind.ShardStarted
        );
        Assert.Equal(["not where it was to be", null, "nor now"], started.Select(e => e.Message));
        Assert.Equal(choice, Assert.Single(await Ledger.LoadActiveAsync(rig.Term.Pool, Token)).Spec.Rules.Devices);
    }

    [Fact]
    public async Task Text_from_outside_survives_whatever_it_contains()
    {
        var rig = await LedgerRig.CreateAsync(Ledger);
        const string hostile = "nul \0, quote ' \" \\ , $1 @p :p %s, 🙂, \u202E, line\r\n, </script>";
        var job = await rig.SubmitRunningAsync(1, _ => hostile);
        Assert.Equal(hostile, Assert.Single(await Ledger.ReadItemsAsync(job, 0, 1, 1, Token)).Prompt);
        var shard = new ShardId(job, 0);
        await rig.CommitAsync(new LedgerOperation.StartShard(shard, 0, 1, LedgerRig.Device("mac-1")));
        await rig.CommitAsync(new LedgerOperation.RecordResults(shard, 1, [LedgerRig.Text(0, hostile)]));
        Assert.Equal(hostile, Assert.Single(await rig.ResultsAsync(job)).Text);
        var broken = new LedgerOperation.FailShard(shard, 1, "nul \0 and half a pair \uD83D");
        Assert.True((await rig.CommitAsync(broken)).Applied);
    }
}
