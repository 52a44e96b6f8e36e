namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>Which process is killed under a fine-tuning.</summary>
public enum Victim
{
    /// <summary>The one that trains.</summary>
    Worker,
    Agent,
    Silo,

    /// <summary>The server with all its backends.</summary>
    Postgres,
}

/// <param name="FurtherSteps">Steps that are heard of first, beyond every one that was heard of before.</param>
public sealed record PlannedKill(Victim Victim, int FurtherSteps);

/// <summary>The kills of a run, all decided by its seed beforehand.</summary>
public static class SurvivalPlan
{
    private const int MostFurtherSteps = 8;

    /// <summary>Each victim comes equally often: the first ones are every one once, in random order.</summary>
    public static IReadOnlyList<PlannedKill> Make(int seed, int kills)
    {
        var random = new Random(seed);
        var victims = new List<Victim>();
        while (victims.Count < kills)
        {
            var round = Enum.GetValues<Victim>();
            random.Shuffle(round);
            victims.AddRange(round);
        }
        return [.. victims.Take(kills).Select(victim => new PlannedKill(victim, random.Next(1, MostFurtherSteps + 1)))];
    }
}
