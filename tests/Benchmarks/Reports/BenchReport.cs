using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Benchmarks.Statistics;

namespace EgpuFleet.Benchmarks.Reports;

/// <summary>What a benchmark of figures says at the end: a table for people, and one line of JSON for programs.</summary>
internal sealed class BenchReport(string benchmark, FigureBook figures, IReadOnlyList<Goal> goals, JsonObject setting)
{
    /// <summary>Nothing of it is put into a page: a plus stays a plus.</summary>
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Default)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public IReadOnlyList<Verdict> Verdicts { get; } = [.. goals.Select(goal => goal.Judge(figures)).OfType<Verdict>()];

    public bool IsWithinMargins => Verdicts.All(verdict => verdict.IsWithinMargin);

    public static IReadOnlyList<string> Header { get; } = ["FIGURE", "MEDIAN", "MIN", "MAX", "SPREAD", "RUNS"];

    public IEnumerable<IReadOnlyList<string>> Rows =>
        figures.All.Select(series =>
            (IReadOnlyList<string>)
                [
                    series.Name,
                    Shown(series.Median),
                    Shown(series.Min),
                    Shown(series.Max),
                    series.Values.Count > 1 ? $"{series.Spread:P0}" : "-",
                    series.Values.Count.ToString(),
                ]
        );

    /// <summary>One line a goal that could be judged.</summary>
    public IEnumerable<string> GoalLines =>
        Verdicts.Select(verdict =>
        {
            var word = verdict.IsMet ? "met   " : "MISSED";
            var sign = verdict.Goal.AtLeast is not null ? "≥" : "≤";
            return $"{word}  {Shown(verdict.Value)} {sign} {Shown(verdict.Bound)}  {verdict.Goal.Name}";
        });

    /// <summary>
    /// One object: our figures by name, each peer's in an object of its name, <c>spread</c> (min, max and every run),
    /// <c>goals</c> and <c>setting</c>. Rates are per second, times in milliseconds.
    /// </summary>
    public string JsonLine()
    {
        var line = new JsonObject { ["benchmark"] = benchmark };
        foreach (var series in figures.All)
            Place(line, series.Name)[Last(series.Name)] = Rounded(series.Median);
        line["spread"] = new JsonObject(
            figures.All.Select(series => KeyValuePair.Create(series.Name, (JsonNode?)SpreadOf(series)))
        );
        line["goals"] = new JsonArray([.. Verdicts.Select(ToJson)]);
        line["setting"] = setting;
        return line.ToJsonString(Readable);
    }

    private static JsonObject Place(JsonObject line, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0)
            return line;
        var peer = name[..dot];
        if (line[peer] is not JsonObject place)
            line[peer] = place = [];
        return place;
    }

    private static string Last(string name) => name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];

    private static JsonObject SpreadOf(Series series) =>
        new()
        {
            ["min"] = Rounded(series.Min),
            ["max"] = Rounded(series.Max),
            ["runs"] = new JsonArray([.. series.Values.Select(value => (JsonNode?)Rounded(value))]),
        };

    private static JsonNode? ToJson(Verdict verdict) =>
        new JsonObject
        {
            ["goal"] = verdict.Goal.Name,
            ["value"] = Rounded(verdict.Value),
            [verdict.Goal.AtLeast is not null ? "at_least" : "at_most"] = verdict.Bound,
            ["met"] = verdict.IsMet,
        };

    private static double Rounded(double value) => Math.Round(value, value < 100 ? 3 : 0);

    private static string Shown(double value) => value < 100 ? $"{value:0.00}" : $"{value:#,0}";
}
