using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Ledger;

/// <summary>A ledger that passes everything on; its heirs take one safety out.</summary>
internal abstract class BrokenLedger(ILedger inner) : ILedger
{
    protected ILedger Inner { get; } = inner;

    public Task<LeaderTerm?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) => Inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken);

    public Task<bool> RenewLeadershipAsync(LeaderTerm term, TimeSpan duration, CancellationToken cancellationToken) =>
        Inner.RenewLeadershipAsync(term, duration, cancellationToken);

    public Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken) =>
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

    public Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        Inner.LoadActiveAsync(pool, cancellationToken);

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

    public IAsyncEnumerable<ItemResult> ReadResultsAsync(JobId job, CancellationToken cancellationToken) =>
        Inner.ReadResultsAsync(job, cancellationToken);
}

/// <summary>Does not look at the shard's epoch: every report counts as one under the current lease.</summary>
internal sealed class EpochBlindLedger(ILedger inner) : BrokenLedger(inner)
{
    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        var active = await Inner.LoadActiveAsync(term.Pool, cancellationToken);
        var epochs = active.SelectMany(job => job.Shards).ToDictionary(shard => shard.Id, shard => shard.Epoch);
        var blind = operations.Select(operation => Renumber(operation, epochs)).ToList();
        return await Inner.CommitAsync(term, blind, cancellationToken);
    }

    private static LedgerOperation Renumber(LedgerOperation operation, Dictionary<ShardId, int> epochs) =>
        operation switch
        {
            LedgerOperation.RecordResults o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.FinishShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.FailShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            LedgerOperation.RequeueShard o => o with { Epoch = epochs.GetValueOrDefault(o.Id, o.Epoch) },
            _ => operation,
        };
}

/// <summary>Does not look at the writer's term: a deposed leader writes as if it were the current one.</summary>
internal sealed class TermBlindLedger(ILedger inner) : BrokenLedger(inner)
{
    public override async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        for (var epoch = term.Epoch; ; epoch++)
        {
            foreach (var holder in new[] { "silo-a", "silo-b" })
            {
                try
                {
                    var current = term with { Holder = holder, Epoch = epoch };
                    return await Inner.CommitAsync(current, operations, cancellationToken);
                }
                catch (LeaderFencedException) when (epoch < term.Epoch + 2)
                {
                    // Not that one; the next may be current.
                }
            }
        }
    }
}
