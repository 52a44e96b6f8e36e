using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Fleet;

/// <summary>A committed lease to hand over, with what its device needs to know.</summary>
/// <param name="Spec">Null where it must be read first.</param>
/// <param name="Items">Null where they must be read first.</param>
internal sealed record Assignment(
    LeaseKey Lease,
    int FirstItem,
    int ItemCount,
    JobKind Kind,
    ModelRecord? Model,
    JobSpec? Spec,
    IReadOnlyList<BatchItem>? Items
);

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
