using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>What a plan is made from, and what is noted of it while it is on its way to the ledger.</summary>
internal sealed partial class PoolMemory
{
    private readonly List<IQueued> heads = [];

    /// <summary>The picture a plan is made from; null when no slot is free.</summary>
    public FleetSnapshot? Snapshot()
    {
        var devices = Fleet.Slots(Leases, Now);
        var (models, noops) = (0, 0);
        foreach (var device in devices)
        {
            models += device.IsFree ? 1 : 0;
            noops += device.IsFreeForNoops ? device.FreeNoopSlots : 0;
        }
        if (models + noops == 0)
            return null;
        var mayStart = started.Count < Limits.MaxStartedJobs;
        heads.Clear();
        foreach (var shape in Shapes.All)
        {
            var slots = shape.Kind == JobKind.Noop ? noops : models;
            if (slots > 0 && !shape.IsModelMissing && !shape.Queue.IsEmpty)
                shape.Queue.Collect(mayStart ? slots : 0, slots, heads);
        }
        var queue = ImmutableArray.CreateBuilder<WaitingJob>(heads.Count);
        foreach (var head in heads)
            queue.Add(Picture(head));
        return new FleetSnapshot(devices, queue.MoveToImmutable(), options.Policy);
    }

    /// <summary>A job as the planner sees it.</summary>
    public WaitingJob Picture(IQueued queued) =>
        queued switch
        {
            WaitingEntry entry => new WaitingJob(
                entry.Id,
                entry.Priority,
                entry.SubmitOrder,
                entry.Shape.Model,
                [],
                NextItem: 0,
                NextShardNumber: 0,
                entry.ItemCount,
                entry.Shape.Kind,
                entry.MaxParallel == WaitingEntry.UnknownParallel ? 1 : entry.MaxParallel,
                entry.Shape.Devices,
                entry.Shape.Train
            ),
            JobEntry job => new WaitingJob(
                job.Id,
                job.Priority,
                job.SubmitOrder,
                job.Shape.Model,
                Requeued(job),
                job.PlannedItem,
                job.PlannedShardNumber,
                job.ItemCount,
                job.Shape.Kind,
                job.ParallelLeft,
                job.Shape.Devices,
                job.Shape.Train
            ),
            _ => throw new ArgumentException($"{queued.GetType().Name} does not wait.", nameof(queued)),
        };

    /// <summary>
    /// The same for jobs whose submit is about to go to the ledger, so that their start can go with it; those that
    /// would overtake a job that waits are left out.
    /// </summary>
    public FleetSnapshot? SnapshotOf(IReadOnlyList<LedgerOperation.SubmitJob> submits, Func<int, ModelRecord?> modelOf)
    {
        var (doNoopsWait, doOthersWait) = (false, false);
        foreach (var shape in Shapes.All)
        {
            doNoopsWait |= shape.Kind == JobKind.Noop && !shape.Queue.IsEmpty;
            doOthersWait |= shape.Kind != JobKind.Noop && !shape.Queue.IsEmpty;
        }
        if ((doNoopsWait && doOthersWait) || started.Count >= Limits.MaxStartedJobs || Snapshot() is not { } snapshot)
            return null;
        var queue = ImmutableArray.CreateBuilder<WaitingJob>();
        var seen = new HashSet<JobId>();
        for (var i = 0; i < submits.Count; i++)
        {
            var spec = submits[i].Spec;
            var mayStart = spec.Rules is { StartsHeld: false, DependsOn.Count: 0 } && !Contains(spec.Id);
            if (mayStart && !(spec.Kind == JobKind.Noop ? doNoopsWait : doOthersWait) && seen.Add(spec.Id))
                queue.Add(Picture(spec, submitOrder: i, modelOf(i)));
        }
        return snapshot with { Queue = queue.ToImmutable() };
    }

    /// <summary>Takes the slots of a plan, and turns it into operations in its order; a job's first shard follows its start.</summary>
    /// <param name="submits">Those of the plan's jobs that go to the ledger with it, by id.</param>
    public List<LedgerOperation> Take(Plan plan, IReadOnlyDictionary<JobId, LedgerOperation.SubmitJob>? submits = null)
    {
        var operations = new List<LedgerOperation>(plan.Placements.Length * 2);
        foreach (var placement in plan.Placements)
        {
            var (shard, device) = (placement.Shard, placement.Device);
            var job = FindStarted(shard.Job) ?? Begin(shard.Job, submits, operations);
            if (placement.IsNew)
            {
                job.PlannedItem = placement.FirstItem + placement.ItemCount;
                job.PlannedShardNumber = shard.Number + 1;
                Reserve(job, entry: null, new LeaseKey(shard, placement.Epoch, device));
                operations.Add(
                    new LedgerOperation.StartShard(
                        shard,
                        placement.FirstItem,
                        placement.ItemCount,
                        device,
                        placement.Fallback
                    )
                );
            }
            else
            {
                var entry = job.Shards.TryGet(shard.Number, out var known) ? known : throw Unknown(shard);
                entry.IsStarting = true;
                Reserve(job, entry, new LeaseKey(shard, placement.Epoch, device));
                operations.Add(new LedgerOperation.RestartShard(shard, placement.Epoch, device, placement.Fallback));
            }
            Refresh(job);
        }
        return operations;
    }

    /// <summary>A planned lease was refused by the ledger: its slot is free again, and the job as it was.</summary>
    public void GiveBack(ShardId id)
    {
        Leases.Release(id);
        if (FindStarted(id.Job) is not { } job)
            return;
        job.Leases--;
        (job.PlannedItem, job.PlannedShardNumber) = (job.NextItem, job.NextShardNumber);
        if (job.Shards.TryGet(id.Number, out var shard))
            shard.IsStarting = false;
        Refresh(job);
    }

    /// <summary>The submit of a job was refused, whose start went with it: it never was.</summary>
    public void Forget(JobId id)
    {
        if (!started.Remove(id, out var job))
            return;
        Counts.Move(job.State, to: null);
        job.Shape.Queue.Set(job, hasWork: false);
    }

    private JobEntry Begin(
        JobId id,
        IReadOnlyDictionary<JobId, LedgerOperation.SubmitJob>? submits,
        List<LedgerOperation> operations
    )
    {
        operations.Add(new LedgerOperation.StartJob(id));
        if (submits is not null && submits.TryGetValue(id, out var submit))
            return BeginWithSubmit(submit);
        if (!waiting.Remove(id, out var entry))
            throw new InvalidOperationException($"{id}: planned, but it does not wait.");
        entry.Shape.Queue.Remove(entry);
        var work = Cache.Take(id);
        var job = new JobEntry(id, entry.Shape, entry.Priority, entry.ItemCount, entry.SubmitOrder)
        {
            CreatedAt = entry.CreatedAt,
            Spec = work?.Spec,
            Items = work?.Items,
        };
        started.Add(id, job);
        return job;
    }

    private JobEntry BeginWithSubmit(LedgerOperation.SubmitJob submit)
    {
        var spec = submit.Spec;
        var shape = Shapes.For(spec);
        var job = new JobEntry(spec.Id, shape, spec.Priority, spec.ItemCount, ++submitCount)
        {
            CreatedAt = DatabaseNow,
            Spec = spec,
            Items = submit.Items,
        };
        started.Add(spec.Id, job);
        Counts.Move(from: null, job.State);
        return job;
    }

    private static WaitingJob Picture(JobSpec spec, long submitOrder, ModelRecord? model) =>
        new(
            spec.Id,
            spec.Priority,
            submitOrder,
            model,
            Requeued: [],
            NextItem: 0,
            NextShardNumber: 0,
            spec.ItemCount,
            spec.Kind,
            spec.Rules.MaxParallel ?? int.MaxValue,
            spec.Rules.Devices,
            TrainNeeds.Of(spec.Train)
        );

    private void Reserve(JobEntry job, ShardEntry? entry, LeaseKey lease)
    {
        Leases.Reserve(lease, UseOf(job, entry));
        job.Leases++;
    }

    private ImmutableArray<WaitingShard> Requeued(JobEntry job)
    {
        ImmutableArray<WaitingShard>.Builder? ready = null;
        var now = DatabaseNow;
        foreach (var shard in job.Shards.All)
        {
            if (shard.IsReady(now))
                (ready ??= ImmutableArray.CreateBuilder<WaitingShard>()).Add(
                    new(shard.Id, shard.Epoch, shard.FirstItem, shard.ItemCount, shard.FailedOn, shard.IsSuspect)
                );
        }
        return ready?.ToImmutable() ?? [];
    }

    private static InvalidOperationException Unknown(ShardId id) => new($"{id}: known to the ledger, but not here.");
}
