namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>What the planner may vary; part of its snapshot, so that a plan stays a function of the snapshot alone.</summary>
public sealed record PolicyOptions
{
    public int MinShardItems { get; init; } = Limits.MinShardItems;
    public int MaxShardItems { get; init; } = Limits.MaxShardItems;
}
