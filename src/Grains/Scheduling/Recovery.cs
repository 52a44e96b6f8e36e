using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>How a new leader learns what its predecessor knew: from the ledger alone.</summary>
internal sealed class Recovery(ILedger ledger, IModelCatalog models, SchedulingOptions options)
{
    /// <summary>Fills an empty memory. Running shards keep their leases, each with one full period from now.</summary>
    public async Task LoadAsync(PoolMemory memory, PoolId pool, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        var active = new List<ActiveJob>(await ledger.LoadActiveAsync(pool, cancellationToken));
        await foreach (var queued in ledger.LoadQueuedAsync(pool, cancellationToken))
        {
            var job = await ledger.ReadWorkAsync([new WorkRange(queued.Id, 0, 1)], 1, cancellationToken);
            active.Add(new ActiveJob(job[0].Spec, queued.State, queued.CreatedAt, 0, 0, 0, 0, []));
        }
        var known = new Dictionary<ModelRef, ModelRecord?>();
        foreach (var job in active.OrderBy(job => job.CreatedAt).ThenBy(job => job.Spec.Id.Value))
        {
            ModelRecord? model = null;
            if (job.Spec.Model is { } named && !known.TryGetValue(named, out model))
                known.Add(named, model = await models.FindAsync(named, cancellationToken));
            var entry = memory.AddJob(job.Spec, model, job.CreatedAt);
            entry.State = job.State;
            entry.NextItem = job.NextItem;
            entry.NextShardNumber = job.NextShardNumber;
            entry.CompletedItems = job.CompletedItems;
            entry.FailedItems = job.FailedItems;
            foreach (var shard in job.Shards)
                entry.Shards.Add(shard.Id.Number, await LoadShardAsync(shard, cancellationToken));
        }
        foreach (var shard in memory.Jobs.Values.SelectMany(job => job.Shards.Values))
        {
            if (shard.State == ShardState.Running)
                memory.Leases.Inherit(shard.Lease, now());
        }
    }

    private async Task<ShardEntry> LoadShardAsync(ActiveShard shard, CancellationToken cancellationToken)
    {
        var open = await OpenItemsAsync(shard, cancellationToken);
        return new ShardEntry(shard.Id, shard.FirstItem, shard.ItemCount)
        {
            State = shard.State,
            Epoch = shard.Epoch,
            Device = shard.Device,
            FailureCount = shard.FailureCount,
            FailedOn = shard.FailureCount > 0 ? shard.Device : null,
            OpenItems = open,
            OpenItemsAtGrant = open.Count,
        };
    }

    private async Task<HashSet<int>> OpenItemsAsync(ActiveShard shard, CancellationToken cancellationToken)
    {
        var open = new HashSet<int>();
        var next = shard.FirstItem;
        var end = shard.FirstItem + shard.ItemCount;
        while (next < end)
        {
            var page = await ledger.ReadItemsAsync(
                shard.Id.Job,
                next,
                end - next,
                options.MaxShardBytes,
                cancellationToken
            );
            if (page.Count == 0)
                break;
            foreach (var item in page)
                open.Add(item.Index);
            next = page[^1].Index + 1;
        }
        return open;
    }
}
