using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>The devices' slots for shards of a model, as one plan fills them.</summary>
internal sealed class ModelSlots(FleetSnapshot snapshot)
{
    private readonly List<DeviceSlot> free =
    [
        .. snapshot.Devices.Where(device => device.IsFree).Order(DeviceOrder.Instance),
    ];

    // Jobs share few models, so what depends on the model alone is worked out once for each.
    private readonly Dictionary<string, List<DeviceSlot>> usableByModel = new(StringComparer.Ordinal);

    public void Place(WaitingJob job, ImmutableArray<Placement>.Builder placements)
    {
        if (free.Count == 0 || job.Model is not { } model)
            return;
        if (!usableByModel.TryGetValue(model.Ref.Sha256, out var usable))
            usableByModel.Add(model.Ref.Sha256, usable = Usable(model));
        var left = job.ParallelLeft;
        foreach (var shard in job.Requeued.OrderBy(shard => shard.Id.Number))
        {
            if (left == 0 || Best(model, usable, shard.FailedOn) is not { } device)
                continue;
            free.Remove(device);
            placements.Add(new Placement(shard.Id, shard.Epoch + 1, shard.FirstItem, shard.ItemCount, device.Id));
            left--;
        }
        PlaceNew(job, model, usable, left, placements);
    }

    private void PlaceNew(
        WaitingJob job,
        ModelRecord model,
        List<DeviceSlot> usable,
        int left,
        ImmutableArray<Placement>.Builder placements
    )
    {
        var rates = Sharding.Rates(usable);
        var totalRate = rates.Sum();
        var item = job.NextItem;
        var number = job.NextShardNumber;
        for (; left > 0 && item < job.ItemCount && Best(model, usable, avoid: null) is { } device; left--)
        {
            var rate = rates[usable.IndexOf(device)];
            var count = Sharding.GuidedSize(job.ItemCount - item, rate, totalRate, snapshot.Options);
            free.Remove(device);
            placements.Add(new Placement(new ShardId(job.Id, number), Epoch: 1, item, count, device.Id));
            item += count;
            number++;
        }
    }

    // Sorted, because a sum of rates depends in its last bit on the order of its terms, and a shard's size on the sum.
    private List<DeviceSlot> Usable(ModelRecord model) =>
        [
            .. snapshot
                .Devices.Where(device => device.Ready && Feasibility.FitsNow(device, model))
                .Order(DeviceOrder.Instance),
        ];

    /// <summary>
    /// The free device to prefer: the model loaded, then the highest measured rate, then by id. A shard does not go back to
    /// the device it just failed on while the pool has another that fits, even if that one is busy now.
    /// </summary>
    private DeviceSlot? Best(ModelRecord model, List<DeviceSlot> usable, DeviceId? avoid)
    {
        var hasOther = avoid is not null && usable.Exists(device => device.Id != avoid);
        DeviceSlot? best = null;
        foreach (var device in free)
        {
            if ((hasOther && device.Id == avoid) || !usable.Contains(device))
                continue;
            if (best is null || IsBetter(device, best, model.Ref.Sha256))
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
}
