using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Statistics;
using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.Benchmarks.Faults;

/// <summary>What a chaos run came to: a table of recovery times by kind of fault, counts, and one line of JSON.</summary>
internal sealed class ChaosReport(ChaosOutcome outcome)
{
    private const double Median = 0.5;
    private const double Most = 0.95;

    public static IReadOnlyList<string> Header { get; } = ["FAULT", "DONE", "FELT", "P50 S", "P95 S", "MAX S"];

    public IEnumerable<IReadOnlyList<string>> Rows =>
        Enum.GetValues<FaultKind>()
            .Select(kind =>
                (IReadOnlyList<string>)
                    [
                        kind.ToString(),
                        Done(kind).ToString(),
                        Felt(kind).Length.ToString(),
                        Shown(kind, Median),
                        Shown(kind, Most),
                        Shown(kind, 1),
                    ]
            );

    public IEnumerable<string> Lines =>
        [
            $"{outcome.Faults.Count} faults, seed {outcome.Options.Seed}; {outcome.Acknowledged} submits acknowledged, "
                + $"{outcome.Jobs} jobs; drained in {outcome.Drain.Waited.TotalSeconds:0.0} s",
            $"lost {outcome.Lost}, finished twice {outcome.Twice}, broken promises {outcome.Violations.Count}",
            .. outcome.Violations.Select(violation => violation.ToString()),
            .. outcome.Violations.Count > 0 ? (string[])[$"logs: {outcome.Folder}"] : [],
        ];

    public string JsonLine()
    {
        var line = new JsonObject
        {
            ["benchmark"] = "chaos",
            ["seed"] = outcome.Options.Seed,
            ["minutes"] = Math.Round(outcome.Options.Duration.TotalMinutes, 2),
            ["silos"] = outcome.Options.Silos,
            ["agents"] = outcome.Options.Agents,
            ["lease_s"] = outcome.Options.LeaseSeconds,
            ["faults"] = outcome.Faults.Count,
            ["jobs"] = outcome.Jobs,
            ["acknowledged"] = outcome.Acknowledged,
            ["lost"] = outcome.Lost,
            ["finished_twice"] = outcome.Twice,
            ["violations"] = outcome.Violations.Count,
            ["drain_s"] = Math.Round(outcome.Drain.Waited.TotalSeconds, 1),
        };
        line["answers"] = new JsonObject(
            outcome
                .Answers.OrderBy(pair => pair.Key)
                .Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))
        );
        line["recovery_s"] = new JsonObject(
            outcome.Recoveries.Keys.Order().Select(kind => KeyValuePair.Create(kind.ToString(), (JsonNode?)Times(kind)))
        );
        return line.ToJsonString(JsonSerializerOptions.Default);
    }

    private JsonObject Times(FaultKind kind) =>
        new()
        {
            ["done"] = Done(kind),
            ["felt"] = Felt(kind).Length,
            ["p50"] = Math.Round(Percentile.Of(Felt(kind), Median), 3),
            ["p95"] = Math.Round(Percentile.Of(Felt(kind), Most), 3),
            ["max"] = Math.Round(Percentile.Of(Felt(kind), 1), 3),
        };

    private int Done(FaultKind kind) => outcome.Faults.Count(fault => fault.Kind == kind);

    private double[] Felt(FaultKind kind) => outcome.Recoveries.TryGetValue(kind, out var seconds) ? [.. seconds] : [];

    private string Shown(FaultKind kind, double share) =>
        Felt(kind) is { Length: > 0 } felt ? $"{Percentile.Of(felt, share):0.00}" : "-";
}
