using System.Text.Json;

namespace EgpuFleet.Benchmarks.Reports;

/// <summary>The goals of every benchmark, from <c>budgets.json</c> beside the program.</summary>
internal static class Budgets
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
    };

    /// <exception cref="JsonException">The file is malformed, or a goal has not exactly one bound.</exception>
    public static IReadOnlyList<Goal> Of(string benchmark)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "budgets.json");
        var all = JsonSerializer.Deserialize<Dictionary<string, Goal[]>>(File.ReadAllText(file), Options)!;
        foreach (var goal in all.Values.SelectMany(goals => goals))
        {
            if (goal.AtLeast is null == goal.AtMost is null)
                throw new JsonException($"The goal '{goal.Name}' needs exactly one of at_least and at_most.");
            if (goal.Margin is < 0 or >= 1 || string.IsNullOrWhiteSpace(goal.Reason))
                throw new JsonException($"The goal '{goal.Name}' needs a margin from 0 to 1 and a reason.");
        }
        return all[benchmark];
    }
}
