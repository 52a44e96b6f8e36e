namespace EgpuFleet.Simulation.Tests.World;

/// <summary>How the network is now.</summary>
internal sealed record Weather
{
    public static readonly Weather Calm = new();

    public double LossChance { get; init; }
    public double DuplicateChance { get; init; }

    /// <summary>Chance that a message takes a long way: it comes after many that were sent later.</summary>
    public double StrayChance { get; init; }
    public TimeSpan Least { get; init; } = TimeSpan.FromMilliseconds(0.2);
    public TimeSpan Most { get; init; } = TimeSpan.FromMilliseconds(3);
    public TimeSpan LongestStray { get; init; } = TimeSpan.FromSeconds(20);
}
