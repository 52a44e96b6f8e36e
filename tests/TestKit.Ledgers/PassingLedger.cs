using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>A ledger that passes everything on; its heirs change what they test.</summary>
public abstract class PassingLedger(ILedger inner) : ILedger
{
    protected ILedger Inner { get; } = inner;

    public virtual Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) => Inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken);

    public virtual Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) => Inner.RenewLeadershipAsync(term, duration, cancellationToken);

    public virtual Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken) =>
        Inner.ReleaseLeadershipAsync(term, cancellationToken);

    public Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    ) => Inner.StageItemsAsync(job, items, cancellationToken);

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        Inner.SweepStagedAsync(minimumAge, cancellationToken);

    public abstract Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    );

    public virtual Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        Inner.LoadActiveAsync(pool, cancellationToken);

    public virtual IAsyncEnumerable<QueuedJob> LoadQueuedAsync(PoolId pool, CancellationToken cancellationToken) =>
        Inner.LoadQueuedAsync(pool, cancellationToken);

    public virtual Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    ) => Inner.ReadWorkAsync(ranges, maxBytesPerShard, cancellationToken);

    public Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    ) => Inner.ReadItemsAsync(job, firstItem, itemCount, maxBytes, cancellationToken);

    public Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken) =>
        Inner.FindJobAsync(job, cancellationToken);

    public Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken) =>
        Inner.ListJobsAsync(page, cancellationToken);

    public Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    ) => Inner.ReadEventsAsync(job, afterSequence, limit, cancellationToken);

    public virtual IAsyncEnumerable<ItemResult> ReadResultsAsync(JobId job, CancellationToken cancellationToken) =>
        Inner.ReadResultsAsync(job, cancellationToken);
}
