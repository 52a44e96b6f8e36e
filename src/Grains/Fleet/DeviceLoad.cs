namespace EgpuFleet.Grains.Fleet;

/// <summary>What a lease takes of its device.</summary>
/// <param name="IsNoop">A no-op slot; else the device's one slot for a shard of a model.</param>
/// <param name="IsSuspect">It may be what killed a worker before; see <see cref="Scheduling.Memory.ShardEntry.IsSuspect"/>.</param>
internal readonly record struct LeaseUse(bool IsNoop, bool IsSuspect = false);

/// <summary>Slots of a device that leases take.</summary>
internal readonly record struct DeviceLoad(int Models, int Noops, int Suspects)
{
    public int All => Models + Noops;

    public DeviceLoad With(LeaseUse use, int count) =>
        new(
            Models + (use.IsNoop ? 0 : count),
            Noops + (use.IsNoop ? count : 0),
            Suspects + (use.IsSuspect ? count : 0)
        );
}
