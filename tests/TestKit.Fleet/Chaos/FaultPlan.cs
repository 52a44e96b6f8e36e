namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>The faults of a run, all decided by its seed beforehand.</summary>
public static class FaultPlan
{
    private const double OutageJitter = 0.5;

    private static readonly FaultKind[] Kinds = Enum.GetValues<FaultKind>();

    /// <summary>
    /// As many faults over the duration, at random distances, so that some overlap. Each kind comes equally often: the first
    /// ones are every kind once, in random order.
    /// </summary>
    /// <param name="lease">Freezes last longer than two of it.</param>
    public static IReadOnlyList<Fault> Make(int seed, int count, TimeSpan duration, TimeSpan lease)
    {
        var random = new Random(seed);
        var kinds = new List<FaultKind>();
        while (kinds.Count < count)
        {
            var round = (FaultKind[])Kinds.Clone();
            random.Shuffle(round);
            kinds.AddRange(round);
        }
        var times = Enumerable.Range(0, count).Select(_ => random.NextDouble() * duration).Order().ToList();
        return
        [
            .. times.Select(
                (at, i) => new Fault(at, kinds[i], random.Next(1 << 16), OutageOf(kinds[i], lease, random.NextDouble()))
            ),
        ];
    }

    private static TimeSpan OutageOf(FaultKind kind, TimeSpan lease, double chance) =>
        kind switch
        {
            FaultKind.LeaderFrozen or FaultKind.AgentFrozen => lease * (2 + OutageJitter + (2 * chance)),
            FaultKind.PostgresCrashed => TimeSpan.FromSeconds(0.2 + (2.5 * chance)),
            FaultKind.AgentKilled or FaultKind.SiloKilled => TimeSpan.FromSeconds(4 * chance),
            _ => TimeSpan.Zero,
        };
}
