using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Fleet;

/// <summary>What became of handing a leased shard to its device.</summary>
internal abstract record HandOver(LeaseKey Lease)
{
    /// <summary>The device has it.</summary>
    public sealed record Accepted(LeaseKey Lease) : HandOver(Lease);

    /// <summary>The device does not want it; nothing was started.</summary>
    public sealed record Refused(LeaseKey Lease, Refusal Refusal) : HandOver(Lease);

    /// <summary>The device did not answer; whether it has the shard is not known.</summary>
    public sealed record Unreachable(LeaseKey Lease, string Reason) : HandOver(Lease);

    /// <summary>Every item of the shard has its result already; the device was not asked.</summary>
    public sealed record NothingLeft(LeaseKey Lease) : HandOver(Lease);
}
