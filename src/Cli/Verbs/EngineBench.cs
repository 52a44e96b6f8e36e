using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench engine</c> is asked for; how the command tells the benchmark program.</summary>
/// <param name="Llama">Whether llama.cpp is measured as well.</param>
/// <param name="Check">Whether a goal missed by more than its margin is a failure.</param>
internal sealed record EngineBench(int Runs, bool Llama, bool Check)
{
    public const string Verb = "engine";

    public static EngineBench FromJson(string json) => JsonSerializer.Deserialize<EngineBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
