using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>
/// The decision of the scheduler, a pure function of its snapshot. Jobs in queue order take the free devices that fit
/// them: first for shards that lost their lease, then for new shards of guided size; one shard per device. No device stays
/// free while a job waits that could use it.
/// </summary>
public static class Planner
{
    public static Plan Plan(FleetSnapshot snapshot)
    {
        var free = snapshot.Devices.Where(device => device.IsFree).OrderBy(device => device.Id, DeviceOrder).ToList();
        var placements = ImmutableArray.CreateBuilder<Placement>(free.Count);
        var waiting = new List<WaitingJob>();
        // Jobs share few models, so what depends on the model alone is worked out once for each.
        var usableByModel = new Dictionary<string, List<DeviceSlot>>(StringComparer.Ordinal);
        foreach (var job in snapshot.Queue.Order(QueueOrder.Instance))
        {
            var before = placements.Count;
            if (free.Count > 0 && job.Model is { } model)
            {
                if (!usableByModel.TryGetValue(model.Ref.Sha256, out var usable))
                {
                    usable = Usable(snapshot, model);
                    usableByModel.Add(model.Ref.Sha256, usable);
                }
                PlaceRequeued(job, free, usable, placements);
                PlaceNew(job, snapshot.Options, free, usable, placements);
            }
            if (placements.Count == before)
                waiting.Add(job);
        }
        return new Plan(placements.ToImmutable(), Explain(waiting, Taken(snapshot, placements)));
    }

    // Sorted, because a sum of rates depends in its last bit on the order of its terms, and a shard's size on the sum.
    private static List<DeviceSlot> Usable(FleetSnapshot snapshot, ModelRecord model) =>
        [
            .. snapshot
                .Devices.Where(device => device.Ready && Feasibility.FitsNow(device, model))
                .OrderBy(device => device.Id, DeviceOrder),
        ];

    private static ImmutableDictionary<JobId, Refusal> Explain(List<WaitingJob> waiting, FleetSnapshot after)
    {
        var refusals = ImmutableDictionary.CreateBuilder<JobId, Refusal>();
        var byModel = new Dictionary<string, Refusal>(StringComparer.Ordinal);
        foreach (var job in waiting)
        {
            var key = job.Model?.Ref.Sha256 ?? "";
            if (!byModel.TryGetValue(key, out var refusal))
            {
                refusal = Feasibility.Explain(job, after);
                byModel.Add(key, refusal);
            }
            refusals[job.Id] = refusal;
        }
        return refusals.ToImmutable();
    }

    private static void PlaceRequeued(
        WaitingJob job,
        List<DeviceSlot> free,
        List<DeviceSlot> usable,
        ImmutableArray<Placement>.Builder placements
    )
    {
        foreach (var shard in job.Requeued.OrderBy(shard => shard.Id.Number))
        {
            if (Best(job, free, usable, shard.FailedOn) is not { } device)
                continue;
            free.Remove(device);
            placements.Add(new Placement(shard.Id, shard.Epoch + 1, shard.FirstItem, shard.ItemCount, device.Id));
        }
    }

    private static void PlaceNew(
        WaitingJob job,
        PolicyOptions options,
        List<DeviceSlot> free,
        List<DeviceSlot> usable,
        ImmutableArray<Placement>.Builder placements
    )
    {
        var rates = Sharding.Rates(usable);
        var totalRate = rates.Sum();
        var item = job.NextItem;
        var number = job.NextShardNumber;
        while (item < job.ItemCount && Best(job, free, usable, avoid: null) is { } device)
        {
            var rate = rates[usable.IndexOf(device)];
            var count = Sharding.GuidedSize(job.ItemCount - item, rate, totalRate, options);
            free.Remove(device);
            placements.Add(new Placement(new ShardId(job.Id, number), Epoch: 1, item, count, device.Id));
            item += count;
            number++;
        }
    }

    /// <summary>
    /// The free device to prefer: the model loaded, then the highest measured rate, then by id. A shard does not go back to
    /// the device it just failed on while the pool has another that fits, even if that one is busy now.
    /// </summary>
    private static DeviceSlot? Best(WaitingJob job, List<DeviceSlot> free, List<DeviceSlot> usable, DeviceId? avoid)
    {
        var hasOther = avoid is not null && usable.Exists(device => device.Id != avoid);
        DeviceSlot? best = null;
        foreach (var device in free)
        {
            if ((hasOther && device.Id == avoid) || !usable.Contains(device))
                continue;
            if (best is null || IsBetter(device, best, job.Model!.Ref.Sha256))
                best = device;
        }
        return best;
    }

    private static bool IsBetter(DeviceSlot candidate, DeviceSlot best, string model)
    {
        var loaded = candidate.LoadedModels.Contains(model);
        if (loaded != best.LoadedModels.Contains(model))
            return loaded;
        return candidate.TokensPerSecond > best.TokensPerSecond;
    }

    /// <summary>The snapshot as it is once the placements made so far hold.</summary>
    private static FleetSnapshot Taken(FleetSnapshot snapshot, ImmutableArray<Placement>.Builder placements)
    {
        if (placements.Count == 0)
            return snapshot;
        var taken = placements.Select(placement => placement.Device).ToHashSet();
        return snapshot with
        {
            Devices =
            [
                .. snapshot.Devices.Select(device =>
                    taken.Contains(device.Id) ? device with { Leased = true } : device
                ),
            ],
        };
    }

    private static readonly Comparer<DeviceId> DeviceOrder = Comparer<DeviceId>.Create(
        (x, y) =>
        {
            var byNode = string.CompareOrdinal(x.Node.Value, y.Node.Value);
            return byNode != 0 ? byNode : string.CompareOrdinal(x.Name, y.Name);
        }
    );
}
