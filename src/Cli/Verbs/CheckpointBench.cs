using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench checkpoint</c> is asked for; how the command tells the benchmark program.</summary>
/// <param name="Megabytes">Size of the state.</param>
/// <param name="TrainSeconds">How long to train beside checkpoints; 0: not at all.</param>
/// <param name="JsonFile">Absolute path, or null.</param>
/// <param name="Check">Whether a goal missed by more than its margin is a failure.</param>
internal sealed record CheckpointBench(int Runs, int Megabytes, int TrainSeconds, string? JsonFile, bool Check)
{
    public const string Verb = "checkpoint";

    public static CheckpointBench FromJson(string json) =>
        JsonSerializer.Deserialize<CheckpointBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
