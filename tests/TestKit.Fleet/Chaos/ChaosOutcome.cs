using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>What a chaos run came to.</summary>
/// <param name="Acknowledged">Submits that the fleet answered for.</param>
/// <param name="Answers">How often each answer was given.</param>
/// <param name="Folder">Logs, kept when a rule was broken.</param>
public sealed record ChaosOutcome(
    ChaosOptions Options,
    int Jobs,
    int Acknowledged,
    Drain Drain,
    IReadOnlyList<FaultDone> Faults,
    IReadOnlyDictionary<FaultKind, IReadOnlyList<double>> Recoveries,
    IReadOnlyDictionary<string, int> Answers,
    IReadOnlyList<Violation> Violations,
    string Folder
)
{
    /// <summary>Acknowledged jobs that did not end or are not there.</summary>
    public int Lost => Violations.Count(violation => violation.Rule == "J1");

    /// <summary>Jobs and items that ended more than once.</summary>
    public int Twice => Violations.Count(violation => violation.Rule is "J3" or "J7");
}
