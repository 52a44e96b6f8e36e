using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>The decision value: what to lease where, and why the rest waits. Nothing of it is true until it is durable.</summary>
/// <param name="Placements">In the order decided; those of one job in the order of their shards' ranges.</param>
/// <param name="Refusals">For each job of the snapshot that got nothing.</param>
public sealed record Plan(ImmutableArray<Placement> Placements, ImmutableDictionary<JobId, Refusal> Refusals);

/// <summary>A shard on a device.</summary>
/// <param name="Epoch">Epoch of the lease to make: 1 for a new shard.</param>
public sealed record Placement(ShardId Shard, int Epoch, int FirstItem, int ItemCount, DeviceId Device)
{
    /// <summary>The shard does not exist yet.</summary>
    public bool IsNew => Epoch == 1;
}
