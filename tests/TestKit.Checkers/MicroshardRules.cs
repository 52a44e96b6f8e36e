namespace EgpuFleet.TestKit.Checkers;

/// <summary>A microshard that a round applied.</summary>
public readonly record struct AppliedMicroshard(int Round, int Microshard);

/// <summary>What data parallel training promises of its samples (J7).</summary>
public static class MicroshardRules
{
    /// <summary>No microshard is applied twice; none is of another run; and once a run is finished, all are applied.</summary>
    public static IEnumerable<Violation> OneApplication(
        int microshards,
        IReadOnlyCollection<AppliedMicroshard> applied,
        bool isFinished
    )
    {
        ArgumentNullException.ThrowIfNull(applied);
        foreach (var one in applied.GroupBy(one => one.Microshard))
        {
            if (one.Key < 0 || one.Key >= microshards)
                yield return new Violation("J7", $"microshard {one.Key} was applied, of {microshards}");
            if (one.Skip(1).Any())
                yield return new Violation(
                    "J7",
                    $"microshard {one.Key} was applied in rounds {string.Join(", ", one.Select(a => a.Round))}"
                );
        }
        var count = applied.Select(one => one.Microshard).Distinct().Count();
        if (isFinished && count < microshards)
            yield return new Violation("J7", $"the run is finished with {count} of {microshards} microshards applied");
    }

    /// <summary>Between the steps of a run every microshard has exactly one place.</summary>
    /// <param name="places">Every place of every microshard: free, with a member, in a contribution, applied.</param>
    public static IEnumerable<Violation> OnePlace(int microshards, IEnumerable<int> places)
    {
        var counts = places.CountBy(microshard => microshard).ToDictionary();
        for (var i = 0; i < microshards; i++)
        {
            if (counts.GetValueOrDefault(i) != 1)
                yield return new Violation("J7", $"microshard {i} is in {counts.GetValueOrDefault(i)} places");
        }
    }
}
