namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>How often a fine-tuning is killed, and what is trained.</summary>
/// <param name="Seed">Plans the kills; the training has a seed of its own.</param>
public sealed record SurvivalOptions(int Kills, int Seed)
{
    /// <summary>Of the fine-tuning; an outage of the silo or of Postgres takes some, since the worker does not stop at once.</summary>
    public int Steps { get; init; } = 30 + (40 * Kills);

    /// <summary>Kills that must have been done before the run is over; on a fast machine outages take more steps.</summary>
    public int LeastKills { get; init; } = Kills;

    /// <summary>Whether nothing is killed before a first checkpoint is durable.</summary>
    public bool AwaitsCheckpoint { get; init; }

    /// <summary>What the run promises to lose at most.</summary>
    public int CheckpointSeconds { get; init; } = 2;

    public double LeaseSeconds { get; init; } = 3;
}

/// <summary>A kill that was done.</summary>
/// <param name="Step">The last step that was heard of before.</param>
/// <param name="Durable">Step of the newest complete checkpoint before; 0 for none.</param>
/// <param name="Resumptions">Until the next kill; none where the worker just trained on.</param>
/// <param name="RecoverySeconds">Until a further step was heard of.</param>
public sealed record KillDone(
    Victim Victim,
    long Step,
    long Durable,
    IReadOnlyList<Resumption> Resumptions,
    double RecoverySeconds
)
{
    /// <summary>Steps that had to be made again.</summary>
    public long LostSteps => Resumptions.Sum(one => one.LostSteps);
}

/// <summary>What a killed run came to, beside the same run in peace.</summary>
/// <param name="Steps">Of either.</param>
/// <param name="SecondsPerStep">In peace.</param>
/// <param name="Checkpoints">Of the killed run that are listed, each examined and read whole.</param>
/// <param name="Violations">What was promised and not so; none when all is well.</param>
/// <param name="Folder">Logs, where something was not so.</param>
public sealed record SurvivalOutcome(
    SurvivalOptions Options,
    IReadOnlyList<KillDone> Kills,
    long Steps,
    double SecondsPerStep,
    int Checkpoints,
    IReadOnlyList<string> Violations,
    string Folder
)
{
    /// <summary>Most work that a kill cost, at the pace of the run in peace.</summary>
    public double MostLostSeconds => Kills.Select(kill => kill.LostSteps).DefaultIfEmpty(0).Max() * SecondsPerStep;
}
