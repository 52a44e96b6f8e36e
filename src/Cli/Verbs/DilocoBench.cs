using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench diloco</c> is asked for; how the command tells the benchmark program.</summary>
/// <param name="Runs">Seeds: each shuffles the text in its own way.</param>
/// <param name="Quick">An eighth of the steps: only to see that it works, held to no goal.</param>
/// <param name="Check">Whether a goal missed by more than its margin is a failure.</param>
internal sealed record DilocoBench(int Runs, bool Quick, bool Check)
{
    public const string Verb = "diloco";

    public static DilocoBench FromJson(string json) => JsonSerializer.Deserialize<DilocoBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
