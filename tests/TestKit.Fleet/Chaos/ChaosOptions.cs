namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>How long a chaos run is, and how rough.</summary>
public sealed record ChaosOptions(TimeSpan Duration, int Faults, int Seed)
{
    public int Silos { get; init; } = 3;

    public int Agents { get; init; } = 4;

    public int Clients { get; init; } = 8;

    public double LeaseSeconds { get; init; } = 2;

    /// <summary>How long a healed fleet may take to end every job.</summary>
    public TimeSpan DrainBound { get; init; } = TimeSpan.FromSeconds(60);
}
