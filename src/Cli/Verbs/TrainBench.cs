using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench train</c> is asked for; how the command tells the benchmark program.</summary>
/// <param name="Check">Whether a goal missed by more than its margin is a failure.</param>
internal sealed record TrainBench(int Runs, bool Check)
{
    public const string Verb = "train";

    public static TrainBench FromJson(string json) => JsonSerializer.Deserialize<TrainBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
