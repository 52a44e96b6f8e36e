namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>How a machine behaves now.</summary>
internal sealed record AgentMood
{
    public static readonly AgentMood Good = new();

    /// <summary>Times as long for every item.</summary>
    public double Slowness { get; init; } = 1;

    /// <summary>Chance that a shard fails in a way that is worth another try.</summary>
    public double FailureChance { get; init; }

    /// <summary>Chance that a shard fails for good, and its job with it.</summary>
    public double FatalChance { get; init; }

    /// <summary>Chance that the result of an item is an error.</summary>
    public double ItemErrorChance { get; init; }

    /// <summary>Chance that it computes an item again that it has reported, with another result, as after a lost worker.</summary>
    public double RepeatChance { get; init; }

    /// <summary>Chance that an assignment is refused.</summary>
    public double RefusalChance { get; init; }

    /// <summary>Its devices say that they cannot take work.</summary>
    public bool IsUnready { get; init; }

    /// <summary>It sends no heartbeats, and its reports at the very end of their lease.</summary>
    public bool WaitsForDeadline { get; init; }
}
