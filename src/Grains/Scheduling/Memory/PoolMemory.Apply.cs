using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>How memory takes in what the ledger made durable. What the ledger refused changed nothing there and changes nothing here.</summary>
internal sealed partial class PoolMemory
{
    /// <summary>Leases that ended although their device still works on them; the loop takes them from here.</summary>
    public List<LeaseKey> Cut { get; } = [];

    /// <summary>Jobs that have ended, and how; the loop takes them from here.</summary>
    public List<(JobId Job, JobState State)> Ended { get; } = [];

    public void Apply(LedgerOperation operation, LedgerOutcome outcome)
    {
        switch (operation)
        {
            case LedgerOperation.StartJob start:
                ApplyJobStart(start.Id);
                break;
            case LedgerOperation.StartShard start:
                ApplyStart(start);
                break;
            case LedgerOperation.RestartShard restart:
                ApplyRestart(restart);
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
            case LedgerOperation.RecordResults { ForgetsFailures: true } progress:
                ApplyProgress(progress.Id);
                break;
            case LedgerOperation.SucceedJob succeed:
                ApplyTerminal(succeed.Id, JobEventKind.Succeeded);
                break;
            case LedgerOperation.EndJob end:
                ApplyTerminal(end.Id, end.To == JobState.Failed ? JobEventKind.Failed : JobEventKind.Cancelled);
                break;
            case LedgerOperation.ExpireJob expire:
                ApplyTerminal(expire.Id, JobEventKind.Failed);
                break;
            case LedgerOperation.PauseJob pause:
                ApplyPause(pause.Id);
                break;
            case LedgerOperation.ResumeJob resume:
                ApplyResume(resume.Id);
                break;
            default:
                ApplyBeforeStart(operation, outcome);
                break;
        }
    }

    private void ApplyBeforeStart(LedgerOperation operation, LedgerOutcome outcome)
    {
        switch (operation)
        {
            case LedgerOperation.HoldJob hold when FindWaiting(hold.Id) is { } entry:
                Move(entry, JobEventKind.Held);
                Cache.Take(entry.Id);
                break;
            case LedgerOperation.UnblockJob unblock when FindWaiting(unblock.Id) is { } entry:
                Move(entry, JobEventKind.Unblocked);
                Dependencies.Remove(entry.Id);
                break;
            case LedgerOperation.ReleaseJob release when FindWaiting(release.Id) is { } entry:
                Move(entry, JobEventKind.Released);
                if (outcome.State == JobState.Blocked)
                    Move(entry, JobEventKind.Blocked);
                else
                    Dependencies.Remove(entry.Id);
                break;
        }
    }

    private void ApplyJobStart(JobId id)
    {
        if (FindStarted(id) is not { } job)
            return;
        Move(job, JobEventKind.Started);
        job.StartedAt = DatabaseNow;
        AddDueTimes(job);
    }

    private void ApplyStart(LedgerOperation.StartShard start)
    {
        var job = FindStarted(start.Id.Job) ?? throw Unknown(start.Id);
        var shard = new ShardEntry(start.Id, start.FirstItem, start.ItemCount)
        {
            State = Next(null, JobEventKind.ShardStarted),
            Epoch = 1,
            Device = start.Device,
            OpenItems = ItemSet.Full(start.FirstItem, start.ItemCount),
            OpenItemsAtGrant = start.ItemCount,
        };
        job.Shards.Add(shard);
        job.NextItem = start.FirstItem + start.ItemCount;
        job.NextShardNumber = start.Id.Number + 1;
        Leases.Grant(shard.Lease);
    }

    private void ApplyRestart(LedgerOperation.RestartShard restart)
    {
        if (FindStarted(restart.Id.Job) is not { } job || !job.Shards.TryGet(restart.Id.Number, out var shard))
            throw Unknown(restart.Id);
        shard.State = Next(shard.State, JobEventKind.ShardStarted);
        shard.Epoch = restart.Epoch;
        shard.Device = restart.Device;
        shard.IsStarting = false;
        shard.NotBefore = null;
        shard.OpenItemsAtGrant = shard.OpenItems.Count;
        Leases.Grant(shard.Lease);
    }

    private void ApplyEnd(ShardId id, JobEventKind how)
    {
        if (FindStarted(id.Job) is not { } job || !job.Shards.Remove(id.Number, out var shard))
            return;
        shard.State = Next(shard.State, how);
        Release(job, id);
        if (how == JobEventKind.ShardFinished && shard.Device is { } device)
            Fleet.Trust(device);
        Refresh(job);
    }

    private void ApplyRequeue(LedgerOperation.RequeueShard requeue)
    {
        if (FindStarted(requeue.Id.Job) is not { } job || !job.Shards.TryGet(requeue.Id.Number, out var shard))
            return;
        shard.State = Next(shard.State, JobEventKind.ShardRequeued);
        if (requeue.CountsAsFailure)
        {
            shard.FailureCount++;
            shard.FailedOn = shard.Device;
        }
        if (requeue.Backoff is { } backoff)
        {
            shard.NotBefore = DatabaseNow + backoff;
            Due.Add(job.Id, DueKind.Backoff, shard.NotBefore.Value);
        }
        Release(job, requeue.Id);
        Refresh(job);
    }

    private void ApplyProgress(ShardId id)
    {
        if (FindStarted(id.Job) is not { } job || !job.Shards.TryGet(id.Number, out var shard))
            return;
        shard.FailureCount = 0;
        shard.FailedOn = null;
        if (shard.Device is { } device)
            Fleet.Trust(device);
    }

    private void ApplyPause(JobId id)
    {
        if (FindStarted(id) is not { } job)
            return;
        Move(job, JobEventKind.Paused);
        foreach (var shard in job.Shards.All)
        {
            if (shard.State != ShardState.Running)
                continue;
            Cut.Add(shard.Lease);
            Release(job, shard.Id);
            shard.State = Next(shard.State, JobEventKind.Paused);
        }
        Refresh(job);
    }

    private void ApplyResume(JobId id)
    {
        if (FindStarted(id) is not { } job)
            return;
        Move(job, JobEventKind.Resumed);
        Refresh(job);
    }

    private void ApplyTerminal(JobId id, JobEventKind how)
    {
        JobState state;
        if (waiting.Remove(id, out var entry))
        {
            entry.Shape.Queue.Remove(entry);
            Cache.Take(id);
            Move(entry, how);
            state = entry.State;
        }
        else if (started.Remove(id, out var job))
        {
            Move(job, how);
            state = job.State;
            job.Shape.Queue.Set(job, hasWork: false);
            foreach (var shard in job.Shards.All)
            {
                if (Leases.Of(shard.Id) is not { } lease)
                    continue;
                Cut.Add(lease);
                Leases.Release(shard.Id);
            }
        }
        else
        {
            return;
        }
        Counts.Move(state, to: null);
        Dependencies.Remove(id);
        Ended.Add((id, state));
    }

    private void Release(JobEntry job, ShardId shard)
    {
        Leases.Release(shard);
        job.Leases--;
    }

    private void Move(WaitingEntry entry, JobEventKind how)
    {
        var before = entry.State;
        entry.State = Next(entry.Id, before, how);
        Counts.Move(before, entry.State);
    }

    private void Move(JobEntry job, JobEventKind how)
    {
        var before = job.State;
        job.State = Next(job.Id, before, how);
        Counts.Move(before, job.State);
    }

    private static JobState Next(JobId id, JobState state, JobEventKind how) =>
        JobLifecycle.Apply(state, how) is { Legal: true, State: { } next }
            ? next
            : throw new InvalidOperationException($"{id}: the ledger let {state} have {how}.");

    private static ShardState Next(ShardState? state, JobEventKind how) =>
        ShardLifecycle.Apply(state, how) is { Legal: true, State: { } next }
            ? next
            : throw new InvalidOperationException($"The ledger let a shard in state {state} have the event {how}.");
}
