using System.Diagnostics.CodeAnalysis;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>The shards of a job that are queued or running, by number. Most jobs have one, which needs no table.</summary>
internal sealed class ShardTable
{
    private ShardEntry? single;
    private Dictionary<int, ShardEntry>? many;

    public int Count => many?.Count ?? (single is null ? 0 : 1);

    public IEnumerable<ShardEntry> All =>
        many is { } table ? table.Values
        : single is null ? []
        : [single];

    public void Add(ShardEntry shard)
    {
        if (many is null && single is null)
        {
            single = shard;
            return;
        }
        if (many is null)
        {
            many = new Dictionary<int, ShardEntry> { { single!.Id.Number, single } };
            single = null;
        }
        many.Add(shard.Id.Number, shard);
    }

    public bool TryGet(int number, [NotNullWhen(true)] out ShardEntry? shard)
    {
        if (many is { } table)
            return table.TryGetValue(number, out shard);
        shard = single?.Id.Number == number ? single : null;
        return shard is not null;
    }

    public bool Remove(int number, [NotNullWhen(true)] out ShardEntry? shard)
    {
        if (many is { } table)
            return table.Remove(number, out shard);
        if (!TryGet(number, out shard))
            return false;
        single = null;
        return true;
    }
}
