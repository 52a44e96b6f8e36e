using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Storage;

/// <summary>
/// The ledger as one process reaches it. Its commits arrive in the order in which they were sent, as from the one writer of
/// a silo; everything else on any connection.
/// </summary>
internal sealed class Connection(Place client, Database database, ILedger ledger) : ILedger
{
    private readonly ArrivalOrder commits = new();

    public Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            "acquire",
            () => ledger.AcquireLeadershipAsync(pool, holder, duration, CancellationToken.None),
            cancellationToken
        );

    public Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) =>
        AskAsync("renew", () => ledger.RenewLeadershipAsync(term, duration, CancellationToken.None), cancellationToken);

    public Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken) =>
        AskAsync(
            "release",
            async () =>
            {
                await ledger.ReleaseLeadershipAsync(term, CancellationToken.None);
                return true;
            },
            cancellationToken
        );

    public async Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    )
    {
        var all = await items.ToListAsync(cancellationToken);
        return await AskAsync(
            "stage",
            () => ledger.StageItemsAsync(job, all.ToAsyncEnumerable(), CancellationToken.None),
            cancellationToken
        );
    }

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        AskAsync("sweep", () => ledger.SweepStagedAsync(minimumAge, CancellationToken.None), cancellationToken);

    public Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    ) =>
        database.AskAsync(
            client,
            commits,
            "commit",
            () => ledger.CommitAsync(term, operations, CancellationToken.None),
            cancellationToken
        );

    public Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        AskAsync("load active", () => ledger.LoadActiveAsync(pool, CancellationToken.None), cancellationToken);

    public async IAsyncEnumerable<QueuedJob> LoadQueuedAsync(
        PoolId pool,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var all = await AskAsync(
            "load queued",
            async () => await ledger.LoadQueuedAsync(pool, CancellationToken.None).ToListAsync(CancellationToken.None),
            cancellationToken
        );
        foreach (var job in all)
            yield return job;
    }

    public Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            "read work",
            () => ledger.ReadWorkAsync(ranges, maxBytesPerShard, CancellationToken.None),
            cancellationToken
        );

    public Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            "read items",
            () => ledger.ReadItemsAsync(job, firstItem, itemCount, maxBytes, CancellationToken.None),
            cancellationToken
        );

    public Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken) =>
        AskAsync("find job", () => ledger.FindJobAsync(job, CancellationToken.None), cancellationToken);

    public Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken) =>
        AskAsync("list jobs", () => ledger.ListJobsAsync(page, CancellationToken.None), cancellationToken);

    public Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    ) =>
        AskAsync(
            "read events",
            () => ledger.ReadEventsAsync(job, afterSequence, limit, CancellationToken.None),
            cancellationToken
        );

    public async IAsyncEnumerable<ItemResult> ReadResultsAsync(
        JobId job,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var all = await AskAsync(
            "read results",
            async () => await ledger.ReadResultsAsync(job, CancellationToken.None).ToListAsync(CancellationToken.None),
            cancellationToken
        );
        foreach (var result in all)
            yield return result;
    }

    private Task<T> AskAsync<T>(string what, Func<Task<T>> request, CancellationToken cancellationToken) =>
        database.AskAsync(client, new ArrivalOrder(), what, request, cancellationToken);
}
