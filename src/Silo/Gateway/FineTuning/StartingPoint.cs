using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.OpenAi;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>A run that begins with what another had learnt has that one's adapter. Pure.</summary>
internal static class StartingPoint
{
    /// <summary>The wish with the adapter's shape filled in.</summary>
    /// <param name="origin">The other run's; of the same method.</param>
    /// <exception cref="GatewayException">400: another shape was asked for.</exception>
    public static FineTuningWish Continue(FineTuningWish wish, TrainParameters origin)
    {
        ArgumentNullException.ThrowIfNull(wish);
        ArgumentNullException.ThrowIfNull(origin);
        if (origin.Adapter is not { } adapter)
            return wish;
        if (wish.Rank is { } rank && rank != adapter.Rank)
            throw Other("rank", $"{adapter.Rank}");
        if (wish.Alpha is { } alpha && !alpha.Equals(adapter.Alpha))
            throw Other("alpha", FormattableString.Invariant($"{adapter.Alpha}"));
        if (wish.Targets is { } targets && !targets.SequenceEqual(adapter.Targets, StringComparer.Ordinal))
            throw Other("targets", string.Join(", ", adapter.Targets));
        return wish with
        {
            Rank = adapter.Rank,
            Alpha = adapter.Alpha,
            Targets = adapter.Targets,
            FrozenA = adapter.FrozenA,
        };
    }

    /// <summary>Of an adapter whose A was not trained only B is in the checkpoint: A is made again of that run's seed.</summary>
    /// <param name="seed">That was asked for; null: any.</param>
    /// <exception cref="GatewayException">400: with another seed B would stand beside an A that it was not trained with.</exception>
    public static long? SeedOf(long? seed, TrainParameters origin)
    {
        ArgumentNullException.ThrowIfNull(origin);
        if (origin.Adapter is not { FrozenA: true })
            return seed;
        return seed is null || seed == origin.Seed
            ? origin.Seed
            : throw Other("seed", FormattableString.Invariant($"{origin.Seed}"));
    }

    private static GatewayException Other(string field, string expected) =>
        RequestFields.Wrong(field, $"must be left out or {expected}, as in the run of start_from");
}
