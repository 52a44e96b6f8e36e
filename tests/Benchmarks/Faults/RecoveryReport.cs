using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Statistics;
using EgpuFleet.TestKit.Fleet.Recovery;

namespace EgpuFleet.Benchmarks.Faults;

/// <summary>Recovery times: a table for people, and one line of JSON for programs. Seconds.</summary>
internal sealed class RecoveryReport(IReadOnlyList<RecoveryFigure> figures)
{
    private const double Median = 0.5;
    private const double Most = 0.95;

    public static IReadOnlyList<string> Header { get; } = ["FAULT", "RUNS", "P50 S", "P95 S", "MAX S", "GOAL P95", ""];

    public bool IsGood => figures.All(IsMet);

    public IEnumerable<IReadOnlyList<string>> Rows =>
        figures.Select(figure =>
            (IReadOnlyList<string>)
                [
                    figure.Name,
                    figure.Seconds.Count.ToString(),
                    $"{Of(figure, Median):0.000}",
                    $"{Of(figure, Most):0.000}",
                    $"{figure.Seconds[^1]:0.000}",
                    $"{figure.GoalSeconds:0}",
                    IsMet(figure) ? "met" : "MISSED",
                ]
        );

    public string JsonLine()
    {
        var line = new JsonObject { ["benchmark"] = "recovery" };
        foreach (var figure in figures)
        {
            line[figure.Name] = new JsonObject
            {
                ["runs"] = figure.Seconds.Count,
                ["p50_s"] = Math.Round(Of(figure, Median), 3),
                ["p95_s"] = Math.Round(Of(figure, Most), 3),
                ["max_s"] = Math.Round(figure.Seconds[^1], 3),
                ["goal_p95_s"] = figure.GoalSeconds,
                ["met"] = IsMet(figure),
            };
        }
        return line.ToJsonString(JsonSerializerOptions.Default);
    }

    private static bool IsMet(RecoveryFigure figure) => Of(figure, Most) <= figure.GoalSeconds;

    private static double Of(RecoveryFigure figure, double share) => Percentile.Of([.. figure.Seconds], share);
}
