using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>The devices' slots for shards of a model, as one plan fills them.</summary>
internal sealed class ModelSlots(FleetSnapshot snapshot)
{
    private readonly List<DeviceSlot> free =
    [
        .. snapshot.Devices.Where(device => device.IsFree).Order(DeviceOrder.Instance),
    ];

    // Jobs share few models and choices, so what depends on these alone is worked out once for each.
    private readonly Dictionary<
        (JobKind Kind, string Model, DeviceClass? Require, TrainNeeds? Train),
        List<DeviceSlot>
    > usable = [];

    public void Place(WaitingJob job, ImmutableArray<Placement>.Builder placements)
    {
        if (free.Count == 0 || job.Model is not { } model)
            return;
        var fitting = Usable(job, model);
        var left = job.ParallelLeft;
        foreach (var shard in job.Requeued.OrderBy(shard => shard.Id.Number))
        {
            if (left == 0 || Best(job, model, fitting, shard.FailedOn) is not { } device)
                continue;
            free.Remove(device);
            placements.Add(
                new Placement(
                    shard.Id,
                    shard.Epoch + 1,
                    shard.FirstItem,
                    shard.ItemCount,
                    device.Id,
                    Fallback(job, model, device)
                )
            );
            left--;
        }
        PlaceNew(job, model, fitting, left, placements);
    }

    private void PlaceNew(
        WaitingJob job,
        ModelRecord model,
        List<DeviceSlot> fitting,
        int left,
        ImmutableArray<Placement>.Builder placements
    )
    {
        var rates = Sharding.Rates(fitting);
        var totalRate = rates.Sum();
        var item = job.NextItem;
        var number = job.NextShardNumber;
        for (; left > 0 && item < job.ItemCount && Best(job, model, fitting, avoid: null) is { } device; left--)
        {
            var rate = rates[fitting.IndexOf(device)];
            // Members of a run that trains go side by side.
            var count =
                job.Kind == JobKind.Train
                    ? 1
                    : Sharding.GuidedSize(job.ItemCount - item, rate, totalRate, snapshot.Options);
            free.Remove(device);
            placements.Add(
                new Placement(
                    new ShardId(job.Id, number),
                    Epoch: 1,
                    item,
                    count,
                    device.Id,
                    Fallback(job, model, device)
                )
            );
            item += count;
            number++;
        }
    }

    // Sorted, because a sum of rates depends in its last bit on the order of its terms, and a shard's size on the sum.
    private List<DeviceSlot> Usable(WaitingJob job, ModelRecord model)
    {
        var key = (job.Kind, model.Ref.Sha256, job.Devices?.Require, job.Train);
        if (!usable.TryGetValue(key, out var fitting))
        {
            fitting =
            [
                .. snapshot
                    .Devices.Where(device =>
                        device.Ready && Feasibility.Allows(job, device) && Feasibility.FitsNow(job, device, model)
                    )
                    .Order(DeviceOrder.Instance),
            ];
            usable.Add(key, fitting);
        }
        return fitting;
    }

    private string? Fallback(WaitingJob job, ModelRecord model, DeviceSlot chosen) =>
        DevicePreference.FallbackOf(
            job.Devices,
            chosen,
            snapshot.Devices,
            device => Feasibility.HasEngine(job, device) && Feasibility.FitsNow(job, device, model)
        );

    /// <summary>
    /// The free device to prefer: of the kind the job prefers, then the model loaded, then the highest measured rate, then by id. A shard does not go back to
    /// the device it just failed on while the pool has another that fits, even if that one is busy now; but a run that
    /// trains is not kept waiting for hours by another on that one.
    /// </summary>
    private DeviceSlot? Best(WaitingJob job, ModelRecord model, List<DeviceSlot> fitting, DeviceId? avoid)
    {
        var others = job.Kind == JobKind.Train ? free : fitting;
        var hasOther = avoid is not null && others.Exists(device => device.Id != avoid && fitting.Contains(device));
        DeviceSlot? best = null;
        foreach (var device in free)
        {
            if ((hasOther && device.Id == avoid) || !fitting.Contains(device))
                continue;
            if (best is null || IsBetter(device, best, job.Devices, model.Ref.Sha256))
                best = device;
        }
        return best;
    }

    private static bool IsBetter(DeviceSlot candidate, DeviceSlot best, DeviceChoice? choice, string model)
    {
        var preferred = DevicePreference.Prefers(choice, candidate);
        if (preferred != DevicePreference.Prefers(choice, best))
            return preferred;
        var loaded = candidate.LoadedModels.Contains(model);
        if (loaded != best.LoadedModels.Contains(model))
            return loaded;
        return candidate.TokensPerSecond > best.TokensPerSecond;
    }
}
