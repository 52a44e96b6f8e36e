using EgpuFleet.Grains.Interfaces;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>The latest epoch of each of the last shards started here. Bounded: the oldest is forgotten first.</summary>
internal sealed class StartedShards
{
    private readonly Dictionary<ShardId, int> epochs = [];
    private readonly Queue<ShardId> order = new();

    /// <summary>The latest epoch started; null when the shard never was, or long ago.</summary>
    public int? EpochOf(ShardId shard) => epochs.TryGetValue(shard, out var epoch) ? epoch : null;

    public void Add(ShardId shard, int epoch)
    {
        if (epochs.TryAdd(shard, epoch))
            order.Enqueue(shard);
        else
            epochs[shard] = epoch;
        if (order.Count > Limits.RememberedShards)
            epochs.Remove(order.Dequeue());
    }
}
