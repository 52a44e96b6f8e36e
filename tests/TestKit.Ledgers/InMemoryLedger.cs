using System.Runtime.CompilerServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>
/// The ledger's contract without a database, for simulation and tests of what stands on it. It passes the same contract
/// suite as the one on Postgres. One lock stands for the transaction.
/// </summary>
public sealed class InMemoryLedger(TimeProvider time) : ILedger
{
    private sealed record LeaderLease(LeaderTerm Term, DateTimeOffset ExpiresAt, bool Released);

    private sealed record StagedInput(List<BatchItem> Items, DateTimeOffset StagedAt);

    private readonly Lock _gate = new();
    private readonly Dictionary<PoolId, LeaderLease> _leaders = [];
    private readonly Dictionary<JobId, StagedInput> _inputs = [];
    private readonly InMemoryOperations _operations = new();

    public Task<Leadership?> AcquireLeadershipAsync(
        PoolId pool,
        string holder,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            var held = _leaders.GetValueOrDefault(pool);
            if (held is { Released: false } && held.ExpiresAt > now && held.Term.Holder != holder)
                return Task.FromResult<Leadership?>(null);
            var term = new LeaderTerm(pool, holder, (held?.Term.Epoch ?? 0) + 1);
            _leaders[pool] = new LeaderLease(term, now + duration, Released: false);
            return Task.FromResult<Leadership?>(new Leadership(term, now));
        }
    }

    public Task<DateTimeOffset?> RenewLeadershipAsync(
        LeaderTerm term,
        TimeSpan duration,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
        {
            if (!IsCurrent(term))
                return Task.FromResult<DateTimeOffset?>(null);
            var now = time.GetUtcNow();
            _leaders[term.Pool] = new LeaderLease(term, now + duration, Released: false);
            return Task.FromResult<DateTimeOffset?>(now);
        }
    }

    public Task ReleaseLeadershipAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (IsCurrent(term))
                _leaders[term.Pool] = _leaders[term.Pool] with { Released = true };
        }
        return Task.CompletedTask;
    }

    public async Task<int> StageItemsAsync(
        JobId job,
        IAsyncEnumerable<BatchItem> items,
        CancellationToken cancellationToken
    )
    {
        var staged = new List<BatchItem>();
        await foreach (var item in items.WithCancellation(cancellationToken))
        {
            if (item.Index != staged.Count)
                throw new ArgumentException($"Item {staged.Count} has index {item.Index}.", nameof(items));
            staged.Add(item);
        }
        if (staged.Count == 0)
            throw new ArgumentException("A job needs at least one item.", nameof(items));
        lock (_gate)
            _inputs.Add(job, new StagedInput(staged, time.GetUtcNow()));
        return staged.Count;
    }

    public Task<int> SweepStagedAsync(TimeSpan minimumAge, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var oldest = time.GetUtcNow() - minimumAge;
            var unused = _inputs
                .Where(i => i.Value.StagedAt <= oldest && !_operations.Jobs.ContainsKey(i.Key))
                .ToList();
            foreach (var (job, _) in unused)
                _inputs.Remove(job);
            return Task.FromResult(unused.Count);
        }
    }

    public Task<IReadOnlyList<LedgerOutcome>> CommitAsync(
        LeaderTerm term,
        IReadOnlyList<LedgerOperation> operations,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
        {
            if (!IsCurrent(term))
                throw new LeaderFencedException(term);
            var now = time.GetUtcNow();
            IReadOnlyList<LedgerOutcome> outcomes = operations
                .Select(o => _operations.Apply(term.Pool, o, job => _inputs.GetValueOrDefault(job)?.Items, now))
                .ToList();
            return Task.FromResult(outcomes);
        }
    }

    public Task<IReadOnlyList<ActiveJob>> LoadActiveAsync(PoolId pool, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            IReadOnlyList<ActiveJob> active = _operations
                .Jobs.Values.Where(job => job.Pool == pool && job.State is JobState.Running or JobState.Paused)
                .OrderBy(job => job.Spec.Id.ToString(), StringComparer.Ordinal)
                .Select(Active)
                .ToList();
            return Task.FromResult(active);
        }
    }

    public async IAsyncEnumerable<QueuedJob> LoadQueuedAsync(
        PoolId pool,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        List<QueuedJob> queued;
        lock (_gate)
        {
            queued = _operations
                .Jobs.Values.Where(job => job.Pool == pool && job.StartedAt is null && job.IsActive)
                .OrderBy(job => job.CreatedAt)
                .ThenBy(job => job.Spec.Id.ToString(), StringComparer.Ordinal)
                .Select(Queued)
                .ToList();
        }
        foreach (var job in queued)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return job;
        }
        await Task.CompletedTask;
    }

    public async Task<IReadOnlyList<ShardWork>> ReadWorkAsync(
        IReadOnlyList<WorkRange> ranges,
        int maxBytesPerShard,
        CancellationToken cancellationToken
    )
    {
        var work = new List<ShardWork>();
        foreach (var (job, first, count) in ranges)
        {
            var record = await FindJobAsync(job, cancellationToken) ?? throw new KeyNotFoundException($"No job {job}.");
            var items = await ReadItemsAsync(job, first, count, maxBytesPerShard, cancellationToken);
            work.Add(new ShardWork(record.Spec, items));
        }
        return work;
    }

    public Task<IReadOnlyList<BatchItem>> ReadItemsAsync(
        JobId job,
        int firstItem,
        int itemCount,
        int maxBytes,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
        {
            var known = _operations.Jobs.GetValueOrDefault(job);
            var items = known?.Items ?? _inputs.GetValueOrDefault(job)?.Items ?? [];
            var results = known?.Results;
            var taken = new List<BatchItem>();
            var bytes = 0L;
            foreach (
                var item in items.Skip(firstItem).Take(itemCount).Where(i => results?.ContainsKey(i.Index) != true)
            )
            {
                bytes += System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(item).Length;
                if (taken.Count > 0 && bytes > maxBytes)
                    break;
                taken.Add(item);
            }
            return Task.FromResult<IReadOnlyList<BatchItem>>(taken);
        }
    }

    public Task<JobRecord?> FindJobAsync(JobId job, CancellationToken cancellationToken)
    {
        lock (_gate)
            return Task.FromResult(_operations.Jobs.GetValueOrDefault(job)?.Record());
    }

    public Task<IReadOnlyList<JobRecord>> ListJobsAsync(JobPageRequest page, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var after = page.After?.ToString();
            var sign = page.OldestFirst ? 1 : -1;
            IReadOnlyList<JobRecord> jobs = _operations
                .Jobs.Values.Where(job => job.Spec.Tenant == page.Tenant && (page.State ?? job.State) == job.State)
                .Select(job => (Key: job.Spec.Id.ToString(), Job: job))
                .Where(job => after is null || sign * string.CompareOrdinal(job.Key, after) > 0)
                .Order(
                    Comparer<(string Key, InMemoryJob Job)>.Create((a, b) => sign * string.CompareOrdinal(a.Key, b.Key))
                )
                .Take(page.Limit)
                .Select(job => job.Job.Record())
                .ToList();
            return Task.FromResult(jobs);
        }
    }

    public Task<IReadOnlyList<JobEvent>> ReadEventsAsync(
        JobId job,
        long afterSequence,
        int limit,
        CancellationToken cancellationToken
    )
    {
        lock (_gate)
        {
            var events = _operations.Jobs.GetValueOrDefault(job)?.Events ?? [];
            IReadOnlyList<JobEvent> page = events.Where(e => e.Sequence > afterSequence).Take(limit).ToList();
            return Task.FromResult(page);
        }
    }

    public async IAsyncEnumerable<ItemResult> ReadResultsAsync(
        JobId job,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        List<ItemResult> present;
        lock (_gate)
            present = _operations.Jobs.GetValueOrDefault(job)?.Results.Values.ToList() ?? [];
        foreach (var result in present)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return result;
        }
        await Task.CompletedTask;
    }

    private bool IsCurrent(LeaderTerm term) =>
        _leaders.TryGetValue(term.Pool, out var lease) && !lease.Released && lease.Term == term;

    private static ActiveJob Active(InMemoryJob job) =>
        new(
            job.Spec,
            job.State,
            job.CreatedAt,
            job.NextItem,
            job.Shards.Count,
            job.Results.Count - job.FailedItems,
            job.FailedItems,
            job.Shards.Select((shard, number) => (shard, number))
                .Where(s => s.shard.State is ShardState.Queued or ShardState.Running)
                .Select(s => new ActiveShard(
                    new ShardId(job.Spec.Id, s.number),
                    s.shard.FirstItem,
                    s.shard.ItemCount,
                    s.shard.State,
                    s.shard.Epoch,
                    s.shard.Device,
                    s.shard.FailureCount,
                    s.shard.NotBefore
                ))
                .ToList(),
            job.StartedAt
        );

    private QueuedJob Queued(InMemoryJob job) =>
        new(
            job.Spec.Id,
            job.Spec.Kind,
            job.Spec.Model,
            job.Spec.Priority,
            job.Spec.ItemCount,
            job.State,
            job.CreatedAt,
            job.Spec.Rules.Deadline,
            [.. job.UnmetBy.Select(d => (d, _operations.Jobs[d.Job].State))],
            job.Spec.Rules.Devices,
            TrainNeeds.Of(job.Spec.Train)
        );
}
