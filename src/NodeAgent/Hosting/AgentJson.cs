using System.Text.Json;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>How the agent's own small files are written.</summary>
internal static class AgentJson
{
    public static JsonSerializerOptions Options { get; } =
        new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        };
}
