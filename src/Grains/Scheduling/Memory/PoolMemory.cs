using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// What a leader keeps in memory: its jobs, leases and fleet. Jobs and shards change in one place only, when the ledger
/// has said that an operation is durable; beside that it is noted what is on its way there. Used by the loop alone.
/// </summary>
internal sealed partial class PoolMemory(SchedulingOptions options, FleetView fleet)
{
    private readonly Dictionary<JobId, WaitingEntry> waiting = [];
    private readonly Dictionary<JobId, JobEntry> started = [];
    private long submitCount;

    public LeaseBook Leases { get; } = new(options.LeaseDuration, options.UnlistedGrace);
    public FleetView Fleet { get; } = fleet;
    public ShapeTable Shapes { get; } = new();
    public WorkCache Cache { get; } = new(options.WorkCacheBytes);
    public DependencyIndex Dependencies { get; } = new();
    public DueTimes Due { get; } = new();
    public DatabaseClock Clock { get; } = new();
    public JobCounts Counts { get; } = new();

    /// <summary>Elapsed time of the leader at this step of its loop.</summary>
    public TimeSpan Now { get; set; }

    /// <summary>The database's time at this step, estimated.</summary>
    public DateTimeOffset DatabaseNow => Clock.At(Now);

    /// <summary>Jobs that are not terminal.</summary>
    public int Count => waiting.Count + started.Count;

    /// <summary>Jobs that have started, or are about to.</summary>
    public IReadOnlyCollection<JobEntry> Started => started.Values;

    public bool Contains(JobId job) => waiting.ContainsKey(job) || started.ContainsKey(job);

    public WaitingEntry? FindWaiting(JobId job) => waiting.GetValueOrDefault(job);

    public JobEntry? FindStarted(JobId job) => started.GetValueOrDefault(job);

    public JobState? StateOf(JobId job) => FindStarted(job)?.State ?? FindWaiting(job)?.State;

    /// <summary>The running shard of exactly this lease, or null.</summary>
    public (JobEntry Job, ShardEntry Shard)? FindRunning(LeaseKey lease)
    {
        if (!started.TryGetValue(lease.Shard.Job, out var job) || !job.Shards.TryGet(lease.Shard.Number, out var shard))
            return null;
        return shard.State == ShardState.Running && shard.Lease == lease ? (job, shard) : null;
    }

    /// <summary>Enters a job whose submit has become durable, unless its start went with it.</summary>
    public void AddSubmitted(LedgerOperation.SubmitJob submit, LedgerOutcome outcome)
    {
        var spec = submit.Spec;
        if (FindStarted(spec.Id) is { } job)
        {
            if (spec.Rules.Deadline is { } deadline)
                Due.Add(job.Id, DueKind.Deadline, deadline);
            return;
        }
        var shape = Shapes.For(spec);
        var entry = new WaitingEntry(spec.Id, shape, spec.Priority, spec.ItemCount, ++submitCount, outcome.CreatedAt)
        {
            State = outcome.State,
            MaxParallel = spec.Rules.MaxParallel ?? int.MaxValue,
        };
        Add(entry, spec.Rules.Deadline);
        if (outcome.State == JobState.Queued && submit.Items is { } items)
            Cache.Offer(spec, items);
        if (outcome.State != JobState.Queued)
            DependOn(spec.Id, spec.Rules.DependsOn, outcome.Dependencies);
    }

    /// <summary>Enters a job that an earlier term left waiting. Call it in the order of submission.</summary>
    public void AddQueued(QueuedJob job)
    {
        var entry = new WaitingEntry(
            job.Id,
            Shapes.For(job.Kind, job.Model, job.Devices, job.Train),
            job.Priority,
            job.ItemCount,
            ++submitCount,
            job.CreatedAt
        )
        {
            State = job.State,
        };
        Add(entry, job.Deadline);
        if (job.Dependencies.Count > 0)
            Dependencies.Add(job.Id, [.. job.Dependencies.Select(d => (d.Dependency, (JobState?)d.State))]);
    }

    /// <summary>Enters a job that an earlier term has started. Call it in the order of submission.</summary>
    /// <param name="openItems">For each of its shards, in order, the items without a result.</param>
    public void AddStarted(ActiveJob job, IReadOnlyList<ItemSet> openItems)
    {
        var spec = job.Spec;
        var entry = new JobEntry(spec.Id, Shapes.For(spec), spec.Priority, spec.ItemCount, ++submitCount)
        {
            CreatedAt = job.CreatedAt,
            Spec = spec,
            State = job.State,
            StartedAt = job.StartedAt,
            NextItem = job.NextItem,
            PlannedItem = job.NextItem,
            NextShardNumber = job.NextShardNumber,
            PlannedShardNumber = job.NextShardNumber,
        };
        started.Add(entry.Id, entry);
        Counts.Move(from: null, entry.State);
        for (var i = 0; i < job.Shards.Count; i++)
            AddShard(entry, job.Shards[i], openItems[i]);
        AddDueTimes(entry);
        if (spec.Rules.Deadline is { } deadline)
            Due.Add(entry.Id, DueKind.Deadline, deadline);
        Refresh(entry);
    }

    /// <summary>Gives the leases of an earlier term one full period from now.</summary>
    public void InheritLeases()
    {
        foreach (var job in started.Values)
        {
            foreach (var shard in job.Shards.All)
            {
                if (shard.State != ShardState.Running)
                    continue;
                Leases.Inherit(shard.Lease, UseOf(job, shard), Now);
                job.Leases++;
            }
            Refresh(job);
        }
    }

    /// <summary>The spec of a job has been read.</summary>
    public void SetSpec(JobSpec spec)
    {
        if (FindStarted(spec.Id) is not { Spec: null } job)
            return;
        job.Spec = spec;
        AddDueTimes(job);
        Refresh(job);
    }

    /// <summary>Puts a job that has started where the planner finds it, if it has something to plan.</summary>
    public void Refresh(JobEntry job) => job.Shape.Queue.Set(job, job.HasWork(DatabaseNow));

    /// <summary>A move of a job goes to the ledger: nothing of the job is planned until it is back.</summary>
    /// <param name="isEnd">It can only end the job, so nothing else is decided about it.</param>
    public void BeginMove(JobId id, bool isEnd)
    {
        if (FindWaiting(id) is { } entry)
        {
            entry.Moves++;
            entry.IsEnding |= isEnd;
            entry.Shape.Queue.Remove(entry);
        }
        else if (FindStarted(id) is { } job)
        {
            job.Moves++;
            job.IsEnding |= isEnd;
            Refresh(job);
        }
    }

    /// <summary>The ledger has told how far the jobs are that a job depends on.</summary>
    public void SetDependencyStates(JobId job, IReadOnlyList<JobState?> states) => Dependencies.SetStates(job, states);

    /// <summary>The move is back, and taken in.</summary>
    public void EndMove(JobId id)
    {
        if (FindWaiting(id) is { } entry)
        {
            if (--entry.Moves == 0 && entry is { State: JobState.Queued, Place: QueuePlace.None })
                entry.Shape.Queue.Return(entry);
        }
        else if (FindStarted(id) is { } job)
        {
            job.Moves--;
            Refresh(job);
        }
    }

    /// <summary>Keeps the times at which jobs are due in proportion to the jobs.</summary>
    public void PruneDueTimes()
    {
        if (Due.Count > (4 * Count) + Limits.DueTimesKept)
            Due.Prune(Contains);
    }

    private void Add(WaitingEntry entry, DateTimeOffset? deadline)
    {
        waiting.Add(entry.Id, entry);
        Counts.Move(from: null, entry.State);
        if (entry.State == JobState.Queued)
            entry.Shape.Queue.Append(entry);
        if (deadline is { } at)
            Due.Add(entry.Id, DueKind.Deadline, at);
    }

    private void AddShard(JobEntry job, ActiveShard shard, ItemSet openItems)
    {
        var entry = new ShardEntry(shard.Id, shard.FirstItem, shard.ItemCount)
        {
            State = shard.State,
            Epoch = shard.Epoch,
            Device = shard.Device,
            FailureCount = shard.FailureCount,
            FailedOn = shard.FailureCount > 0 ? shard.Device : null,
            NotBefore = shard.NotBefore,
            OpenItems = openItems,
            OpenItemsAtGrant = openItems.Count,
        };
        job.Shards.Add(entry);
        if (entry.NotBefore is { } notBefore)
            Due.Add(job.Id, DueKind.Backoff, notBefore);
    }

    private void AddDueTimes(JobEntry job)
    {
        if (job.StartedAt is { } startedAt && job.Spec?.Rules.MaxRunTime is { } longest)
            Due.Add(job.Id, DueKind.RunTime, startedAt + longest);
    }

    private void DependOn(JobId job, IReadOnlyList<JobDependency> on, IReadOnlyList<JobState?>? states)
    {
        if (on.Count > 0)
            Dependencies.Add(job, [.. on.Select((dependency, i) => (dependency, states?[i]))]);
    }

    private static LeaseUse UseOf(JobEntry job, ShardEntry? shard) =>
        new(job.Shape.Kind == JobKind.Noop, shard?.IsSuspect ?? false);
}
