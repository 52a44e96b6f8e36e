using EgpuFleet.Simulation.Tests.Storage;

namespace EgpuFleet.Simulation.Tests;

/// <summary>How much happened in one run or many, to see that the faults do bite.</summary>
/// <param name="Operations">Accepted operations by name.</param>
/// <param name="Refused">Operations that changed nothing, because their condition did not hold.</param>
/// <param name="Fenced">Commits of leaders whose term was over.</param>
/// <param name="LongestDrain">From the last repair to the last job's end.</param>
internal sealed record RunFigures(
    IReadOnlyDictionary<string, int> Operations,
    int Refused,
    int Fenced,
    TimeSpan LongestDrain
)
{
    private const string Election = "Election";

    public static readonly RunFigures None = new(new Dictionary<string, int>(), 0, 0, TimeSpan.Zero);

    public static RunFigures Of(RecordingLedger ledger, TimeSpan drain) =>
        new(
            ledger
                .Accepted.GroupBy(entry => entry.Operation?.GetType().Name ?? Election, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal),
            ledger.RefusedCount,
            ledger.FencedCount,
            drain
        );

    public static RunFigures operator +(RunFigures a, RunFigures b) =>
        new(
            a.Operations.Concat(b.Operations)
                .GroupBy(count => count.Key, StringComparer.Ordinal)
                .ToDictionary(group => group.Key, group => group.Sum(count => count.Value), StringComparer.Ordinal),
            a.Refused + b.Refused,
            a.Fenced + b.Fenced,
            a.LongestDrain > b.LongestDrain ? a.LongestDrain : b.LongestDrain
        );

    public override string ToString()
    {
        var operations = Operations
            .OrderByDescending(count => count.Value)
            .ThenBy(count => count.Key, StringComparer.Ordinal)
            .Select(count => $"{count.Key} {count.Value}");
        return $"{string.Join(", ", operations)}; refused {Refused}, fenced {Fenced}, "
            + $"longest drain {LongestDrain.TotalSeconds:0} s";
    }
}
