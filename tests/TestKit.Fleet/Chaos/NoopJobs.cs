using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>No-op jobs as they are sent, and the answer each must get.</summary>
public static class NoopJobs
{
    public static JsonObject One(string payload, int durationMilliseconds) =>
        new()
        {
            ["kind"] = "noop",
            ["payload"] = payload,
            ["duration_ms"] = durationMilliseconds,
        };

    public static JsonObject Many(IEnumerable<string> payloads, int durationMilliseconds) =>
        new()
        {
            ["kind"] = "noop",
            ["items"] = new JsonArray([
                .. payloads.Select(payload => (JsonNode)new JsonObject { ["prompt"] = payload }),
            ]),
            ["duration_ms"] = durationMilliseconds,
        };

    /// <summary>The result text of a payload.</summary>
    public static string AnswerTo(string payload) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(payload)));
}
