using System.Text.Json;
using System.Text.Json.Serialization;

namespace EgpuFleet.Silo.Gateway.OpenAi;

/// <summary>How <c>/v1</c> reads and writes JSON: snake_case, unknown fields ignored, nulls written as OpenAI writes them.</summary>
public static class OpenAiJson
{
    public static JsonSerializerOptions Options { get; } =
        new(JsonSerializerDefaults.Web)
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            NumberHandling = JsonNumberHandling.Strict,
            MaxDepth = Limits.JsonDepth,
        };
}
