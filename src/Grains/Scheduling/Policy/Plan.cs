using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>The decision value: what to lease where. Nothing of it is true until it is durable.</summary>
/// <param name="Placements">In the order decided; those of one job in the order of their shards' ranges.</param>
public sealed record Plan(ImmutableArray<Placement> Placements);

/// <summary>A shard on a device.</summary>
/// <param name="Epoch">Epoch of the lease to make: 1 for a new shard.</param>
/// <param name="Fallback">Why it is not on a device of the kind its job prefers; null when it is, or prefers none.</param>
public sealed record Placement(
    ShardId Shard,
    int Epoch,
    int FirstItem,
    int ItemCount,
    DeviceId Device,
    string? Fallback = null
)
{
    /// <summary>The shard does not exist yet.</summary>
    public bool IsNew => Epoch == 1;
}
