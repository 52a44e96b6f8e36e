using System.Collections.Concurrent;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// The schedulers that lead in this very process, for its own gateway: a call to one is a method call, while a message to
/// its grain costs two more hand-overs between threads.
/// </summary>
public sealed class PoolsHere
{
    private readonly ConcurrentDictionary<PoolId, SchedulerLoop> loops = new();

    /// <summary>The pool's scheduler, where it leads here now; else null, and its grain knows where.</summary>
    public SchedulerLoop? Find(PoolId pool) => loops.TryGetValue(pool, out var loop) && loop.IsLeading ? loop : null;

    internal void Add(PoolId pool, SchedulerLoop loop) => loops[pool] = loop;

    /// <summary>Removes this scheduler only, not one that has taken its place.</summary>
    internal void Remove(PoolId pool, SchedulerLoop loop) => loops.TryRemove(new(pool, loop));
}
