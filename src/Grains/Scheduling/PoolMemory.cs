using System.Collections.Immutable;
using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// What a leader keeps in memory: its jobs, leases and fleet. Jobs and shards change in one place only, when the ledger
/// has said that an operation is durable. Used by the loop alone.
/// </summary>
internal sealed class PoolMemory(SchedulingOptions options)
{
    private long submits;

    public Dictionary<JobId, JobEntry> Jobs { get; } = [];
    public LeaseBook Leases { get; } = new(options.LeaseDuration, options.UnlistedGrace);
    public FleetView Fleet { get; } = new(options.SilentAfter);

    /// <summary>Why jobs waited when the last plan was made.</summary>
    public ImmutableDictionary<JobId, Refusal> Refusals { get; set; } = ImmutableDictionary<JobId, Refusal>.Empty;

    /// <summary>Why a job waits; null when it does not: it is not active, or a shard of it runs.</summary>
    public Refusal? WhyWaiting(JobId id) =>
        Jobs.TryGetValue(id, out var job) && job.Shards.Values.All(shard => shard.State != ShardState.Running)
            ? Refusals.GetValueOrDefault(id)
            : null;

    public JobEntry AddJob(JobSpec spec, ModelRecord? model, DateTimeOffset createdAt)
    {
        var job = new JobEntry(spec, model, submits++, createdAt);
        Jobs.Add(spec.Id, job);
        return job;
    }

    /// <summary>The running shard of exactly this lease, or null.</summary>
    public (JobEntry Job, ShardEntry Shard)? FindRunning(LeaseKey lease)
    {
        if (!Jobs.TryGetValue(lease.Shard.Job, out var job))
            return null;
        if (!job.Shards.TryGetValue(lease.Shard.Number, out var shard))
            return null;
        return shard.State == ShardState.Running && shard.Lease == lease ? (job, shard) : null;
    }

    /// <summary>The picture a plan is made from.</summary>
    public FleetSnapshot Snapshot(TimeSpan now)
    {
        var queue = ImmutableArray.CreateBuilder<WaitingJob>();
        foreach (var job in Jobs.Values)
        {
            if (job.IsEnding)
                continue;
            var requeued = job.Shards.Values.Where(shard => shard.State == ShardState.Queued).ToList();
            if (requeued.Count > 0 || job.NextItem < job.Spec.ItemCount)
                queue.Add(Waiting(job, requeued));
        }
        return new FleetSnapshot(Fleet.Slots(Leases, now), queue.ToImmutable(), options.Policy);
    }

    /// <summary>
    /// Takes in what the ledger made durable. Operations it refused changed nothing there and change nothing here.
    /// </summary>
    /// <returns>Leases that ended although their device still works on them.</returns>
    public IReadOnlyList<LeaseKey> Apply(LedgerOperation operation, LedgerOutcome outcome)
    {
        switch (operation)
        {
            case LedgerOperation.StartShard start:
                ApplyStart(start);
                break;
            case LedgerOperation.RestartShard restart:
                ApplyRestart(restart);
                break;
            case LedgerOperation.RecordResults record:
                ApplyResults(record, outcome.NewResults ?? []);
                break;
            case LedgerOperation.FinishShard finish:
                ApplyEnd(finish.Id, JobEventKind.ShardFinished);
                break;
            case LedgerOperation.FailShard fail:
                ApplyEnd(fail.Id, JobEventKind.ShardFailed);
                break;
            case LedgerOperation.RequeueShard requeue:
                ApplyRequeue(requeue);
                break;
            case LedgerOperation.StartJob start:
                return ApplyMove(start.Id, JobEventKind.Started);
            case LedgerOperation.HoldJob hold:
                return ApplyMove(hold.Id, JobEventKind.Held);
            case LedgerOperation.ReleaseJob release:
                return ApplyMove(release.Id, JobEventKind.Released);
            case LedgerOperation.ResumeJob resume:
                return ApplyMove(resume.Id, JobEventKind.Resumed);
            case LedgerOperation.SucceedJob succeed:
                return ApplyMove(succeed.Id, JobEventKind.Succeeded);
            case LedgerOperation.EndJob end:
                return ApplyMove(end.Id, end.To == JobState.Failed ? JobEventKind.Failed : JobEventKind.Cancelled);
        }
        return [];
    }

    private void ApplyStart(LedgerOperation.StartShard start)
    {
        var job = Jobs[start.Id.Job];
        var shard = new ShardEntry(start.Id, start.FirstItem, start.ItemCount)
        {
            State = Next(null, JobEventKind.ShardStarted),
            Epoch = 1,
            Device = start.Device,
            OpenItems = [.. Enumerable.Range(start.FirstItem, start.ItemCount)],
            OpenItemsAtGrant = start.ItemCount,
        };
        job.Shards.Add(start.Id.Number, shard);
        job.NextItem = start.FirstItem + start.ItemCount;
        job.NextShardNumber = start.Id.Number + 1;
        Leases.Grant(shard.Lease);
    }

    private void ApplyRestart(LedgerOperation.RestartShard restart)
    {
        var shard = Jobs[restart.Id.Job].Shards[restart.Id.Number];
        shard.State = Next(shard.State, JobEventKind.ShardStarted);
        shard.Epoch = restart.Epoch;
        shard.Device = restart.Device;
        shard.OpenItemsAtGrant = shard.OpenItems.Count;
        Leases.Grant(shard.Lease);
    }

    private void ApplyResults(LedgerOperation.RecordResults record, IReadOnlyList<int> newIndexes)
    {
        if (newIndexes.Count == 0 || !Jobs.TryGetValue(record.Id.Job, out var job))
            return;
        var isNew = newIndexes.ToHashSet();
        foreach (var result in record.Results)
        {
            if (!isNew.Contains(result.Index))
                continue;
            if (result.ErrorCode is null)
                job.CompletedItems++;
            else
                job.FailedItems++;
        }
    }

    private void ApplyEnd(ShardId id, JobEventKind how)
    {
        if (!Jobs.TryGetValue(id.Job, out var job) || !job.Shards.Remove(id.Number, out var shard))
            return;
        shard.State = Next(shard.State, how);
        Leases.Release(id);
        if (how == JobEventKind.ShardFinished && shard.Device is { } device)
            Fleet.Trust(device);
    }

    private void ApplyRequeue(LedgerOperation.RequeueShard requeue)
    {
        if (!Jobs.TryGetValue(requeue.Id.Job, out var job) || !job.Shards.TryGetValue(requeue.Id.Number, out var shard))
            return;
        shard.State = Next(shard.State, JobEventKind.ShardRequeued);
        if (requeue.CountsAsFailure)
        {
            shard.FailureCount++;
            shard.FailedOn = shard.Device;
        }
        Leases.Release(requeue.Id);
    }

    private List<LeaseKey> ApplyMove(JobId id, JobEventKind how)
    {
        if (!Jobs.TryGetValue(id, out var job))
            return [];
        job.State = JobLifecycle.Apply(job.State, how) switch
        {
            { Legal: true, State: { } next } => next,
            _ => throw new InvalidOperationException($"{id}: the ledger let {job.State} have {how}."),
        };
        if (!JobLifecycle.IsTerminal(job.State))
            return [];
        Jobs.Remove(id);
        var cut = job.Shards.Values.Select(shard => Leases.Of(shard.Id)).OfType<LeaseKey>().ToList();
        foreach (var lease in cut)
            Leases.Release(lease.Shard);
        return cut;
    }

    private static ShardState Next(ShardState? state, JobEventKind how) =>
        ShardLifecycle.Apply(state, how) is { Legal: true, State: { } next }
            ? next
            : throw new InvalidOperationException($"The ledger let a shard in state {state} have the event {how}.");

    private static WaitingJob Waiting(JobEntry job, List<ShardEntry> requeued) =>
        new(
            job.Spec.Id,
            job.Spec.Priority,
            job.SubmitOrder,
            job.Model,
            [.. requeued.Select(s => new WaitingShard(s.Id, s.Epoch, s.FirstItem, s.ItemCount, s.FailedOn))],
            job.NextItem,
            job.NextShardNumber,
            job.Spec.ItemCount
        );
}
