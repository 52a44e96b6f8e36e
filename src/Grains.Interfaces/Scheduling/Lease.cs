namespace EgpuFleet.Grains.Interfaces.Scheduling;

/// <summary>The identity of a lease: at most one epoch of a shard is live.</summary>
[GenerateSerializer, Immutable, Alias("fleet.LeaseKey")]
public readonly record struct LeaseKey(
    [property: Id(0)] ShardId Shard,
    [property: Id(1)] int Epoch,
    [property: Id(2)] DeviceId Device
)
{
    public override string ToString() => $"{Shard}@{Epoch} on {Device}";
}
