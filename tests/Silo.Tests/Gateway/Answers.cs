using System.Net;
using System.Text.Json.Nodes;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Reads answers and asserts the shape that every error has.</summary>
internal static class Answers
{
    public static async Task<JsonNode> ProblemAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == response.StatusCode, $"{(int)response.StatusCode}, not {(int)status}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.True(response.Headers.Contains("x-request-id"));
        var problem = JsonNode.Parse(text)!;
        Assert.StartsWith("urn:egpufleet:problem:", (string?)problem["type"], StringComparison.Ordinal);
        Assert.False(string.IsNullOrEmpty((string?)problem["title"]));
        Assert.Equal((int)status, (int?)problem["status"]);
        Assert.False(string.IsNullOrEmpty((string?)problem["detail"]));
        Assert.False(string.IsNullOrEmpty((string?)problem["traceId"]));
        return problem;
    }

    public static async Task<JsonNode> EnvelopeAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(status == response.StatusCode, $"{(int)response.StatusCode}, not {(int)status}: {text}");
        Assert.True(response.Headers.Contains("x-request-id"));
        var error = JsonNode.Parse(text)!["error"]!.AsObject();
        Assert.Equal(["code", "message", "param", "type"], error.Select(field => field.Key).Order());
        Assert.False(string.IsNullOrEmpty((string?)error["message"]));
        return error;
    }

    public static string CodeOf(JsonNode problem) => ((string)problem["type"]!).Split(':')[^1];
}
