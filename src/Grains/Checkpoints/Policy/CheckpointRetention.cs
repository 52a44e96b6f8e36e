using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Checkpoints.Policy;

/// <summary>Which checkpoints of a shard are kept.</summary>
/// <param name="KeepLast">The newest ones; at least 1.</param>
/// <param name="KeepEvery">Those whose place in their line is a multiple of it; 0: none for that reason.</param>
/// <param name="KeepBest">So many with the lowest value of <paramref name="BestMetric"/>.</param>
/// <param name="Grace">How long a retired or abandoned checkpoint stays readable, by database time.</param>
public sealed record CheckpointRules(int KeepLast, int KeepEvery, int KeepBest, string BestMetric, TimeSpan Grace)
{
    /// <summary>Three to fall back on, the best one to serve, and an hour for whoever is reading.</summary>
    public static readonly CheckpointRules Default = new(3, 0, 1, "valid_loss", TimeSpan.FromHours(1));
}

/// <summary>Decides which checkpoints of one shard are retired.</summary>
public static class CheckpointRetention
{
    /// <summary>
    /// Those that no rule keeps. Damaged ones count for no rule: they go as soon as a complete one is there to keep.
    /// </summary>
    /// <param name="checkpoints">Complete and damaged ones of one shard, in any order.</param>
    public static IReadOnlyList<CheckpointId> Retire(
        IReadOnlyCollection<CheckpointRecord> checkpoints,
        CheckpointRules rules
    )
    {
        ArgumentNullException.ThrowIfNull(rules);
        if (rules.KeepLast < 1)
            throw new ArgumentException("The newest checkpoint is always kept.", nameof(rules));
        CheckpointRecord[] complete =
        [
            .. checkpoints
                .Where(checkpoint => checkpoint.State == CheckpointState.Complete)
                .OrderByDescending(checkpoint => checkpoint.CompletedAt)
                .ThenByDescending(checkpoint => checkpoint.Id.Value),
        ];
        if (complete.Length == 0)
            return [];
        var kept = complete.Take(rules.KeepLast).Select(checkpoint => checkpoint.Id).ToHashSet();
        if (rules.KeepEvery > 0)
            kept.UnionWith(complete.Where(c => c.Number % rules.KeepEvery == 0).Select(c => c.Id));
        kept.UnionWith(
            complete
                .Where(checkpoint => checkpoint.Metrics.ContainsKey(rules.BestMetric))
                .OrderBy(checkpoint => checkpoint.Metrics[rules.BestMetric])
                .Take(rules.KeepBest)
                .Select(checkpoint => checkpoint.Id)
        );
        return [.. checkpoints.Select(checkpoint => checkpoint.Id).Where(id => !kept.Contains(id))];
    }
}
