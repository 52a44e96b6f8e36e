using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>The devices' slots for no-ops, as one plan fills them: in turn, beginning with the device that has most.</summary>
internal sealed class NoopSlots
{
    private sealed class Row(DeviceSlot device)
    {
        public DeviceSlot Device { get; } = device;
        public int Free { get; set; } = device.FreeNoopSlots;
        public bool HasSuspect { get; set; } = device.HasSuspect;
    }

    private readonly List<Row> free;
    private readonly FleetSnapshot snapshot;
    private readonly int allSlots;
    private int next;

    public NoopSlots(FleetSnapshot snapshot)
    {
        this.snapshot = snapshot;
        free =
        [
            .. snapshot
                .Devices.Where(device => device.IsFreeForNoops)
                .OrderByDescending(device => device.FreeNoopSlots)
                .ThenBy(device => device, DeviceOrder.Instance)
                .Select(device => new Row(device)),
        ];
        foreach (var device in snapshot.Devices)
            allSlots += device.Ready ? device.NoopSlots : 0;
    }

    public void Place(WaitingJob job, ImmutableArray<Placement>.Builder placements)
    {
        var left = job.ParallelLeft;
        if (!job.Requeued.IsEmpty)
            left = PlaceRequeued(job, left, placements);
        var item = job.NextItem;
        var number = job.NextShardNumber;
        for (; left > 0 && item < job.ItemCount && Take(avoid: null, isSuspect: false) is { } device; left--)
        {
            var count = Sharding.GuidedSlots(job.ItemCount - item, allSlots, snapshot.Options);
            placements.Add(new Placement(new ShardId(job.Id, number), Epoch: 1, item, count, device));
            item += count;
            number++;
        }
    }

    private int PlaceRequeued(WaitingJob job, int left, ImmutableArray<Placement>.Builder placements)
    {
        foreach (var shard in job.Requeued.OrderBy(shard => shard.Id.Number))
        {
            if (left == 0 || Take(shard.FailedOn, shard.IsSuspect) is not { } device)
                continue;
            placements.Add(new Placement(shard.Id, shard.Epoch + 1, shard.FirstItem, shard.ItemCount, device));
            left--;
        }
        return left;
    }

    /// <summary>Takes a slot; not on the device to avoid while the pool has another, even if that one is busy now.</summary>
    private DeviceId? Take(DeviceId? avoid, bool isSuspect)
    {
        var hasOther = avoid is not null && HasOther(avoid.Value);
        for (var tried = 0; tried < free.Count; tried++)
        {
            var at = (next + tried) % free.Count;
            var row = free[at];
            if ((isSuspect && row.HasSuspect) || (hasOther && row.Device.Id == avoid))
                continue;
            row.HasSuspect |= isSuspect;
            if (--row.Free == 0)
                free.RemoveAt(at);
            else
                at++;
            next = free.Count == 0 ? 0 : at % free.Count;
            return row.Device.Id;
        }
        return null;
    }

    private bool HasOther(DeviceId avoid)
    {
        foreach (var device in snapshot.Devices)
        {
            if (device.Ready && device.NoopSlots > 0 && device.Id != avoid)
                return true;
        }
        return false;
    }
}
