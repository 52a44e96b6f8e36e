using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Scheduling.Memory;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>Why a job waits, found out when somebody asks.</summary>
internal static class WaitReasons
{
    /// <summary>Null when it does not wait: it is not active, a shard of it runs, or it is about to.</summary>
    public static Refusal? Of(JobId id, PoolMemory memory)
    {
        if (memory.FindWaiting(id) is { } entry)
            return OfWaiting(entry, memory);
        return memory.FindStarted(id) is { } job ? OfStarted(job, memory) : null;
    }

    private static Refusal? OfWaiting(WaitingEntry entry, PoolMemory memory) =>
        entry.State switch
        {
            JobState.Held => new Refusal(RefusalCode.OnHold, "Its owner holds it back.", "Release it."),
            JobState.Blocked => OfBlocked(entry.Id, memory),
            _ => OfQueued(entry, memory),
        };

    private static Refusal OfBlocked(JobId id, PoolMemory memory)
    {
        var because = memory.Dependencies.Judge(id).Because;
        return new Refusal(
            RefusalCode.WaitingForDependency,
            because is null ? "It is about to be queued." : $"It waits for {because} to end.",
            because is null ? null : $"See what {because} waits for, or cancel it.",
            because
        );
    }

    private static Refusal? OfStarted(JobEntry job, PoolMemory memory)
    {
        if (job.State == JobState.Paused)
            return new Refusal(RefusalCode.JobPaused, "Its owner has paused it.", "Resume it.");
        var now = memory.DatabaseNow;
        if (job.Leases > 0)
        {
            return job.PlannedItem < job.ItemCount && job.Spec is not null && job.ParallelLeft <= 0
                ? Feasibility.Explain(memory.Picture(job), Picture(memory, job))
                : null;
        }
        var soonest = job.Shards.All.Where(shard => shard.NotBefore > now).Min(shard => shard.NotBefore);
        if (soonest is { } at && !job.HasWork(now))
            return new Refusal(
                RefusalCode.BackingOff,
                $"It failed, and is tried again {(at - now).TotalSeconds:0.0} s from now.",
                "See its log for how it failed."
            );
        return OfQueued(job, memory);
    }

    private static Refusal? OfQueued(IQueued queued, PoolMemory memory)
    {
        var picture = memory.Picture(queued);
        var shape = ShapeOf(queued);
        var refusal = Feasibility.Explain(picture, Picture(memory, queued));
        return refusal.Code == RefusalCode.WaitingForPriority
            ? refusal with
            {
                BlockedBy = InTheWay(picture.Id, shape, memory),
            }
            : refusal;
    }

    /// <summary>The job that is served first of those that want the same; or one that runs, when this is the first.</summary>
    private static JobId? InTheWay(JobId id, Shape shape, PoolMemory memory)
    {
        var first = new List<IQueued>();
        shape.Queue.Collect(1, 0, first);
        if (first.Count > 0 && memory.Picture(first[0]).Id is var head && head != id)
            return head;
        foreach (var job in memory.Started)
        {
            if (job.Leases > 0 && (job.Shape.Kind == JobKind.Noop) == (shape.Kind == JobKind.Noop))
                return job.Id;
        }
        return null;
    }

    private static FleetSnapshot Picture(PoolMemory memory, IQueued queued) =>
        new(memory.Fleet.Slots(memory.Leases, memory.Now), [memory.Picture(queued)], new PolicyOptions());

    private static Shape ShapeOf(IQueued queued) =>
        queued is WaitingEntry entry ? entry.Shape : ((JobEntry)queued).Shape;
}
