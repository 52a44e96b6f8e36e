using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;

namespace EgpuFleet.Grains.Fleet;

/// <summary>Reads the specs and open items of leased shards: those of many shards in one query.</summary>
internal sealed class WorkReader(ILedger ledger, SchedulingOptions options)
{
    /// <summary>The same assignments with their specs and items.</summary>
    /// <param name="found">Told each answer's specs before anything is handed over.</param>
    /// <exception cref="LedgerUnavailableException">They could not be read.</exception>
    public async Task<List<Assignment>> FillAsync(
        IReadOnlyList<Assignment> work,
        Action<IReadOnlyList<JobSpec>> found,
        CancellationToken cancellationToken
    )
    {
        var filled = new List<Assignment>(work.Count);
        foreach (var kind in work.GroupBy(one => one.Kind))
        {
            // A shard of a model may fill a message alone; no-ops share one.
            var perRead = kind.Key == JobKind.Noop ? Limits.ShardsPerRead : 1;
            foreach (var chunk in kind.Chunk(perRead))
                filled.AddRange(await ReadAsync(chunk, found, cancellationToken));
        }
        return filled;
    }

    private async Task<IEnumerable<Assignment>> ReadAsync(
        Assignment[] chunk,
        Action<IReadOnlyList<JobSpec>> found,
        CancellationToken cancellationToken
    )
    {
        var read = await ledger.ReadWorkAsync(
            Array.ConvertAll(chunk, one => new WorkRange(one.Lease.Shard.Job, one.FirstItem, one.ItemCount)),
            BytesPerShard(chunk),
            cancellationToken
        );
        found([.. read.Select(one => one.Spec)]);
        return chunk.Zip(read, (one, its) => one with { Spec = its.Spec, Items = its.Items });
    }

    private int BytesPerShard(Assignment[] chunk) =>
        Math.Clamp(
            Limits.ReadBytes / chunk.Length,
            Math.Min(Limits.MaxNoopShardBytes, options.MaxShardBytes),
            options.MaxShardBytes
        );
}
