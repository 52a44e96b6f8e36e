using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>
/// The decision of the scheduler, a pure function of its snapshot. Jobs in queue order take the free slots that fit
/// them: first for shards that lost their lease, then for new shards of guided size. A device has one slot for a shard of a
/// model and some for no-ops. No slot stays free while a job waits that could use it.
/// </summary>
public static class Planner
{
    public static Plan Plan(FleetSnapshot snapshot)
    {
        var placements = ImmutableArray.CreateBuilder<Placement>();
        ModelSlots? models = null;
        NoopSlots? noops = null;
        foreach (var job in snapshot.Queue.Sort(QueueOrder.Instance))
        {
            if (job.Kind == JobKind.Noop)
                (noops ??= new NoopSlots(snapshot)).Place(job, placements);
            else
                (models ??= new ModelSlots(snapshot)).Place(job, placements);
        }
        return new Plan(placements.ToImmutable());
    }

    /// <summary>Why a job of the snapshot got nothing in a plan made from it; null when it got something.</summary>
    public static Refusal? Explain(JobId id, FleetSnapshot snapshot, Plan plan)
    {
        if (plan.Placements.Any(placement => placement.Shard.Job == id))
            return null;
        return Feasibility.Explain(snapshot.Queue.Single(job => job.Id == id), After(snapshot, plan));
    }

    /// <summary>The snapshot as it is once a plan holds.</summary>
    private static FleetSnapshot After(FleetSnapshot snapshot, Plan plan)
    {
        var noops = snapshot.Queue.Where(job => job.Kind == JobKind.Noop).Select(job => job.Id).ToHashSet();
        var taken = plan.Placements.ToLookup(placement => placement.Device, placement => placement.Shard.Job);
        return snapshot with
        {
            Devices =
            [
                .. snapshot.Devices.Select(device =>
                    device with
                    {
                        Leased = device.Leased || taken[device.Id].Any(job => !noops.Contains(job)),
                        FreeNoopSlots = device.FreeNoopSlots - taken[device.Id].Count(noops.Contains),
                    }
                ),
            ],
        };
    }
}

/// <summary>Devices by id: the order in which a plan looks at equals.</summary>
internal sealed class DeviceOrder : IComparer<DeviceSlot>
{
    public static readonly DeviceOrder Instance = new();

    private DeviceOrder() { }

    public int Compare(DeviceSlot? x, DeviceSlot? y)
    {
        var byNode = string.CompareOrdinal(x!.Id.Node.Value, y!.Id.Node.Value);
        return byNode != 0 ? byNode : string.CompareOrdinal(x.Id.Name, y.Id.Name);
    }
}
