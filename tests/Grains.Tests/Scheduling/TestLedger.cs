using System.Collections.Concurrent;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A ledger that can hold commits back, lose their answers, or be away; and that tells when anything was committed.</summary>
internal sealed class TestLedger(ILedger inner) : ILedger
{
    private readonly ConcurrentQueue<TaskCompletionSource> held = new();
    private volatile TaskCompletionSource changed = NewSignal();
    private volatile bool isHolding;

    /// <summary>Whether the leader's renewals reach the ledger.</summary>
    public bool LosesRenewals { get; set; }

    /// <summary>Makes every commit fail after it was carried out.</summary>
    public bool LosesAnswers { get; set; }

    /// <summary>Makes a commit that has such an operation fail as one the database cannot store.</summary>
    public Func<LedgerOperation, bool> Rejects { get; set; } = _ => false;

    /// <summary>Operations of every commit, in the order they were sent.</summary>
    public ConcurrentQueue<IReadOnlyList<LedgerOperation>> Sent { get; } = new();

    /// <summary>Waits until so many commits are carried out and not answered.</summary>
    public async Task UntilHeldAsync(int count)
    {
        while (true)
        {
            var next = Changed;
            if (held.Count >= count)
                return;
            await next.WaitAsync(Rig.Patience);
        }
    }

    /// <summary>Completes when something is committed after the call.</summary>
    public Task Changed => changed.Task;

    /// <summary>From now on commits are carried out but not answered until they are let go.</summary>
    public void Hold() => isHolding = true;

    /// <summary>Answers what is held, the newest first.</summary>
    public void LetGo()
    {
        isHolding = false;
        var all = new List<TaskCompletionSource>();
        while (held.TryDequeue(out var one))
            all.Add(one);
        all.Reverse();
        foreach (var one in all)
            one.TrySetResult();
    }

    public async Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        Sent.Enqueue(operations);
        if (operations.Any(Rejects))
            throw new InvalidOperationException("The database cannot store it.");
        var outcomes = await inner.CommitAsync(term, operations, cancellationToken);
        var gate = NewSignal();
        if (isHolding)
            held.Enqueue(gate);
        else
            gate.TrySetResult();
        Signal();
        await gate.Task.WaitAsync(cancellationToken);
        return LosesAnswers ? throw new LedgerUnavailableException("The answer was lost.") : outcomes;
    }

    public Task<bool> RenewLeadershipAsync(LeaderTerm term, TimeSpan duration, CancellationToken cancellationToken) =>
        LosesRenewals ? Task.FromResult(true) : inner.RenewLeadershipAsync(term, duration, cancellationToken);

    public Task<LeaderTerm?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    ) => inner.AcquireLeadershipAsync(pool, holder, duration, cancellationToken);

    public Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken) =>
        inner.ReleaseLeadershipAsync(term, cancellationToken);

    public Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    ) => inner.StageItemsAsync(job, items, cancellationToken);

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken) =>
        inner.SweepStagedAsync(minimumAge, cancellationToken);

    public Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken) =>
        inner.LoadActiveAsync(pool, cancellationToken);

    public Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    ) => inner.ReadItemsAsync(job, firstItem, itemCount, maxBytes, cancellationToken);

    public Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken) =>
        inner.FindJobAsync(job, cancellationToken);

    public Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken) =>
        inner.ListJobsAsync(page, cancellationToken);

    public Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    ) => inner.ReadEventsAsync(job, afterSequence, limit, cancellationToken);

    public IAsyncEnumerable<ItemResult> ReadResultsAsync(JobId job, CancellationToken cancellationToken) =>
        inner.ReadResultsAsync(job, cancellationToken);

    private void Signal() => Interlocked.Exchange(ref changed, NewSignal()).TrySetResult();

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
