using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.Verbs;

/// <summary>What <c>fleet bench recovery</c>, <c>chaos</c>, <c>survival</c> and <c>soak</c> are asked for; how the command tells the program.</summary>
/// <param name="Runs">Of each kind of fault, in recovery.</param>
/// <param name="Only">Kinds to measure, in recovery; none: all.</param>
/// <param name="Minutes">How long chaos or the soak is.</param>
/// <param name="Faults">Of chaos; kills in survival.</param>
/// <param name="Seed">Of chaos and survival: the same seed plans the same faults.</param>
/// <param name="Rate">Of the soak: jobs a second.</param>
internal sealed record FaultBench(
    int Runs = 0,
    IReadOnlyList<string>? Only = null,
    double Minutes = 0,
    int Faults = 0,
    int Seed = 0,
    double Rate = 0
)
{
    public const string Recovery = "recovery";
    public const string Chaos = "chaos";
    public const string Survival = "survival";
    public const string Soak = "soak";

    /// <summary>What recovery can measure by itself.</summary>
    public static string[] Kinds { get; } =
    ["worker_killed", "agent_killed", "agent_frozen", "leader_killed", "cable_pulled", "gpu_hung"];

    public static FaultBench FromJson(string json) => JsonSerializer.Deserialize<FaultBench>(json, ApiJson.Options)!;

    public string ToJson() => JsonSerializer.Serialize(this, ApiJson.Options);
}
