using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Statistics;
using EgpuFleet.TestKit.Fleet.Training;

namespace EgpuFleet.Benchmarks.Faults;

/// <summary>What a fine-tuning under kills came to: a table by victim, and one line of JSON.</summary>
internal sealed class SurvivalReport(SurvivalOutcome outcome)
{
    private const double Median = 0.5;

    public static IReadOnlyList<string> Header { get; } =
    ["KILLED", "TIMES", "MOST STEPS LOST", "NONE LOST", "P50 S", "MAX S"];

    public IEnumerable<IReadOnlyList<string>> Rows =>
        outcome
            .Kills.GroupBy(kill => kill.Victim)
            .OrderBy(kills => kills.Key)
            .Select(kills =>
                (IReadOnlyList<string>)
                    [
                        kills.Key.ToString(),
                        kills.Count().ToString(),
                        kills.Max(kill => kill.LostSteps).ToString(),
                        kills.Count(kill => kill.LostSteps == 0).ToString(),
                        $"{Seconds(kills, Median):0.0}",
                        $"{Seconds(kills, 1):0.0}",
                    ]
            );

    public IEnumerable<string> Lines =>
        [
            $"{outcome.Kills.Count} kills, seed {outcome.Options.Seed}; {outcome.Steps} steps of {outcome.SecondsPerStep:0.000} s; "
                + $"{outcome.Checkpoints} checkpoints listed, examined and read",
            $"most work lost by one kill: {outcome.MostLostSeconds:0.0} s; a checkpoint every {outcome.Options.CheckpointSeconds} s at most",
            outcome.Violations.Count == 0
                ? "weights, moments, every loss and the served model are those of the run in peace"
                : string.Join(Environment.NewLine, outcome.Violations.Append($"logs: {outcome.Folder}")),
        ];

    public string JsonLine() =>
        new JsonObject
        {
            ["benchmark"] = "survival",
            ["seed"] = outcome.Options.Seed,
            ["kills"] = outcome.Kills.Count,
            ["steps"] = outcome.Steps,
            ["step_s"] = Math.Round(outcome.SecondsPerStep, 4),
            ["checkpoint_s"] = outcome.Options.CheckpointSeconds,
            ["lost_steps"] = outcome.Kills.Sum(kill => kill.LostSteps),
            ["most_lost_steps"] = outcome.Kills.Select(kill => kill.LostSteps).DefaultIfEmpty(0).Max(),
            ["most_lost_s"] = Math.Round(outcome.MostLostSeconds, 2),
            ["checkpoints"] = outcome.Checkpoints,
            ["violations"] = outcome.Violations.Count,
        }.ToJsonString(JsonSerializerOptions.Default);

    private static double Seconds(IEnumerable<KillDone> kills, double share) =>
        Percentile.Of([.. kills.Select(kill => kill.RecoverySeconds).Order()], share);
}
