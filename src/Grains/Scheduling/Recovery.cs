using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>How a new leader learns what its predecessor knew: from the ledger alone. Models are looked up afterwards.</summary>
internal sealed class Recovery(ILedger ledger, SchedulingOptions options)
{
    /// <summary>Fills an empty memory. Running shards keep their leases, each with one full period from when all is read.</summary>
    public async Task LoadAsync(PoolMemory memory, PoolId pool, Func<TimeSpan> now, CancellationToken cancellationToken)
    {
        var active = await ledger.LoadActiveAsync(pool, cancellationToken);
        var started = new Queue<ActiveJob>(active.OrderBy(job => job.CreatedAt).ThenBy(job => job.Spec.Id.Value));
        var openItems = await OpenItemsAsync(active, cancellationToken);
        void AddStarted(DateTimeOffset until)
        {
            while (started.TryPeek(out var job) && job.CreatedAt <= until)
            {
                started.Dequeue();
                memory.AddStarted(job, [.. job.Shards.Select(shard => openItems[shard.Id])]);
            }
        }
        var read = 0;
        await foreach (var job in ledger.LoadQueuedAsync(pool, cancellationToken))
        {
            AddStarted(job.CreatedAt);
            memory.AddQueued(job);
            // A million jobs take a moment; leases must not be counted from before it.
            if (++read % 1024 == 0)
                memory.Now = now();
        }
        memory.Now = now();
        AddStarted(DateTimeOffset.MaxValue);
        memory.InheritLeases();
    }

    private async Task<Dictionary<ShardId, ItemSet>> OpenItemsAsync(
        IReadOnlyList<ActiveJob> jobs,
        CancellationToken cancellationToken
    )
    {
        var open = new Dictionary<ShardId, ItemSet>();
        var left = new Queue<(ShardId Shard, int FirstItem, int End)>();
        foreach (var shard in jobs.SelectMany(job => job.Shards))
        {
            open.Add(shard.Id, ItemSet.Empty(shard.FirstItem, shard.ItemCount));
            left.Enqueue((shard.Id, shard.FirstItem, shard.FirstItem + shard.ItemCount));
        }
        while (left.Count > 0)
        {
            var chunk = new List<(ShardId Shard, int FirstItem, int End)>();
            while (chunk.Count < Limits.ShardsPerRead && left.TryDequeue(out var next))
                chunk.Add(next);
            var ranges = chunk.ConvertAll(one => new WorkRange(one.Shard.Job, one.FirstItem, one.End - one.FirstItem));
            var bytes = Math.Min(
                Math.Max(Limits.ReadBytes / chunk.Count, Limits.MaxNoopShardBytes),
                options.MaxShardBytes
            );
            var read = await ledger.ReadWorkAsync(ranges, bytes, cancellationToken);
            for (var i = 0; i < chunk.Count; i++)
            {
                var items = read[i].Items;
                foreach (var item in items)
                    open[chunk[i].Shard].Add(item.Index);
                // Bounded in bytes, so there may be more.
                if (items.Count > 0 && items[^1].Index + 1 < chunk[i].End)
                    left.Enqueue((chunk[i].Shard, items[^1].Index + 1, chunk[i].End));
            }
        }
        return open;
    }
}
