namespace EgpuFleet.TestKit.Fleet;

/// <summary>How large a rig is, and how it differs from a fleet in production.</summary>
public sealed record RigOptions
{
    public int Silos { get; init; } = 3;

    public int Agents { get; init; } = 4;

    /// <summary>Length of a lease; the leader's own lease stays as it is.</summary>
    public double LeaseSeconds { get; init; } = 10;

    /// <summary>More settings of an agent, by its name; null: none.</summary>
    public Func<string, IReadOnlyDictionary<string, string>?>? AgentEnvironment { get; init; }

    /// <summary>More settings of the silos, such as <c>EGPUFLEET_RETENTION__...</c>.</summary>
    public IReadOnlyDictionary<string, string> SiloEnvironment { get; init; } =
        new Dictionary<string, string>(StringComparer.Ordinal);
}
