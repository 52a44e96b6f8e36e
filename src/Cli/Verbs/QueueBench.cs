using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench queue</c> is asked for; how the command tells the benchmark program.</summary>
/// <param name="Only">Phases to measure; none: all.</param>
/// <param name="JsonFile">Absolute path, or null.</param>
/// <param name="Check">Whether a goal missed by more than its margin is a failure.</param>
internal sealed record QueueBench(
    int Runs,
    bool Peers,
    bool Million,
    bool Quick,
    IReadOnlyList<string> Only,
    string? JsonFile,
    bool Check
)
{
    public const string Verb = "queue";

    /// <summary>What can be measured by itself; a peer's phases have the same names.</summary>
    public static string[] Phases { get; } = ["submit", "raw", "dispatch", "e2e", "drain"];

    public static QueueBench FromJson(string json) => JsonSerializer.Deserialize<QueueBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);

    public bool Wants(string phase) => Only.Count == 0 || Only.Contains(phase, StringComparer.Ordinal);
}
