using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>One pool and tenant of its own on a ledger, with a leader: what every ledger test starts from.</summary>
internal sealed class LedgerRig
{
    public static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static int _rigs;

    private LedgerRig(ILedger ledger, LeaderTerm term, TenantId tenant) =>
        (Ledger, Term, Tenant) = (ledger, term, tenant);

    public ILedger Ledger { get; }
    public LeaderTerm Term { get; }
    public TenantId Tenant { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<LedgerRig> CreateAsync(ILedger ledger)
    {
        var number = Interlocked.Increment(ref _rigs);
        var pool = new PoolId($"pool-{number}");
        var term = await ledger.AcquireLeadershipAsync(pool, "silo-a", Long, Token);
        Assert.NotNull(term);
        return new LedgerRig(ledger, term.Term, new TenantId($"tenant-{number}"));
    }

    /// <summary>Version-7 ids sort by creation; the tests' own clock makes that order certain.</summary>
    public static JobId NewId() =>
        JobId.New(DateTimeOffset.UnixEpoch.AddMilliseconds(Interlocked.Increment(ref _clock)));

    private static long _clock = 1_700_000_000_000;

    public static DeviceId Device(string node) => new(new NodeId(node), "cpu");

    public JobSpec Spec(JobId id, int items) =>
        new(
            id,
            Tenant,
            JobKind.Batch,
            new ModelRef("sample", new string('a', 64), 7_600_000),
            new GenerationParameters(16, 0.7, 0.9, 40, 7, ["\n\n"]),
            Priority: 3,
            items,
            TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            JobRules.Default
        );

    public static LedgerOperation Cancel(JobId job, string why = "by its owner") =>
        new LedgerOperation.EndJob(job, JobState.Cancelled, new JobEnd(JobEndCode.Cancelled, why));

    public async Task<JobId> StageAsync(int items, Func<int, string>? prompt = null)
    {
        var id = NewId();
        Assert.Equal(items, await Ledger.StageItemsAsync(id, Items(items, prompt), Token));
        return id;
    }

    public async Task<JobId> SubmitAsync(int items, Func<int, string>? prompt = null)
    {
        var id = await StageAsync(items, prompt);
        Assert.True((await CommitAsync(new LedgerOperation.SubmitJob(Spec(id, items), null))).Applied);
        return id;
    }

    /// <summary>A running job without a shard.</summary>
    public async Task<JobId> SubmitRunningAsync(int items, Func<int, string>? prompt = null)
    {
        var job = await SubmitAsync(items, prompt);
        Assert.True((await CommitAsync(new LedgerOperation.StartJob(job))).Applied);
        return job;
    }

    /// <summary>A running job whose first shard covers all its items under epoch 1.</summary>
    public async Task<ShardId> SubmitLeasedAsync(int items)
    {
        var job = await SubmitAsync(items);
        var shard = new ShardId(job, 0);
        Assert.True((await CommitAsync(new LedgerOperation.StartJob(job))).Applied);
        Assert.True((await CommitAsync(new LedgerOperation.StartShard(shard, 0, items, Device("mac-1")))).Applied);
        return shard;
    }

    /// <summary>The lease taken back and given to another device under epoch 2.</summary>
    public async Task ReleaseToAnotherAsync(ShardId shard)
    {
        var requeue = new LedgerOperation.RequeueShard(shard, 1, "node lost", CountsAsFailure: false);
        Assert.True((await CommitAsync(requeue)).Applied);
        Assert.True((await CommitAsync(new LedgerOperation.RestartShard(shard, 2, Device("mac-2")))).Applied);
    }

    public async Task<LedgerOutcome> CommitAsync(LedgerOperation operation) =>
        Assert.Single(await Ledger.CommitAsync(Term, [operation], Token));

    public async Task<JobRecord> FindAsync(JobId job)
    {
        var found = await Ledger.FindJobAsync(job, Token);
        Assert.NotNull(found);
        return found;
    }

    public async Task<List<QueuedJob>> BacklogAsync() =>
        await Ledger.LoadQueuedAsync(Term.Pool, Token).ToListAsync(Token);

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<JobRecord>> ListAsync(JobState? state, int limit) =>
        Ledger.ListJobsAsync(new JobPageRequest(Tenant, state, After: null, limit, OldestFirst: false), Token);

    /// <summary>A submit that brings its items.</summary>
    public static LedgerOperation Inline(JobSpec spec, IdempotencyKey? key = null) =>
        new LedgerOperation.SubmitJob(spec, key, ItemList(spec.ItemCount));

    public async Task<List<ItemResult>> ResultsAsync(JobId job)
    {
        var results = new List<ItemResult>();
        await foreach (var result in Ledger.ReadResultsAsync(job, Token))
            results.Add(result);
        return results;
    }

    public static ItemResult Text(int index, string text, string node = "mac-1") =>
        new(index, $"item-{index}", text, "stop", 5, 11, null, null, Device(node), 4242, Attempt: 1, 17);

    public static ItemResult Error(int index) =>
        new(index, $"item-{index}", null, null, 5, 0, "too_long", "No.", Device("mac-1"), 4242, Attempt: 1, 1);

    public static List<BatchItem> ItemList(int count, Func<int, string>? prompt = null) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new BatchItem(i, $"item-{i}", prompt?.Invoke(i) ?? $"prompt {i}", null)),
        ];

    public static IAsyncEnumerable<BatchItem> Items(int count, Func<int, string>? prompt = null) =>
        ItemList(count, prompt).ToAsyncEnumerable();
}

internal static class LedgerSpecs
{
    public static JobSpec After(this JobSpec spec, params (JobId Job, DependencyCondition Condition)[] jobs) =>
        spec with
        {
            Rules = spec.Rules with { DependsOn = [.. jobs.Select(job => new JobDependency(job.Job, job.Condition))] },
        };
}
