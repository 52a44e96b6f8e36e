using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>One trace id from the HTTP request through scheduler and grain into the worker process.</summary>
public sealed class TraceTests
{
    [Fact]
    public async Task The_trace_of_a_submit_reaches_the_worker_process()
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(3));
        await using var receiver = await OtlpReceiver.StartAsync(limit.Token);
        await using var fleet = await FleetUnderTest.StartAsync(
            limit.Token,
            agents: 1,
            new Dictionary<string, string>
            {
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Endpoint,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            }
        );
        await fleet.AddModelAsync(
            "tiny-fleet",
            RepositoryPaths.At("samples", "models", "tiny-fleet.gguf"),
            limit.Token
        );
        var traceId = ActivityTraceId.CreateRandom().ToHexString();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/jobs")
        {
            Content = JsonContent.Create(
                new
                {
                    kind = "batch",
                    model = "tiny-fleet",
                    generation = new { max_tokens = 4 },
                    items = new[] { new { prompt = "Once upon a time" } },
                }
            ),
        };
        request.Headers.Add("traceparent", $"00-{traceId}-{ActivitySpanId.CreateRandom().ToHexString()}-01");

        using var response = await fleet.Http.SendAsync(request, limit.Token);

        response.EnsureSuccessStatusCode();
        var job = (string)(await response.Content.ReadFromJsonAsync<JsonNode>(limit.Token))!["id"]!;
        Assert.Equal("succeeded", (await fleet.WaitForJobAsync(job, limit.Token)).State);
        var spans = await receiver.WaitForAsync(
            traceId,
            all =>
                all.Select(span => span.Scope).Intersect(ExpectedScopes).Count() == ExpectedScopes.Length
                && IsConnected(all),
            limit.Token
        );
        Assert.True(
            spans.Select(span => span.Service).Distinct().Count() >= 3,
            "silo, agent and worker are services of their own"
        );
    }

    private static readonly string[] ExpectedScopes =
    [
        "Microsoft.AspNetCore",
        "EgpuFleet.Scheduler",
        "EgpuFleet.Agent",
        "EgpuFleet.Worker",
    ];

    /// <summary>True when every worker span can be followed, parent by parent, to the span of the HTTP request.</summary>
    private static bool IsConnected(IReadOnlyList<ReceivedSpan> spans)
    {
        var byId = spans.DistinctBy(span => span.SpanId).ToDictionary(span => span.SpanId);
        return spans.Where(span => span.Scope == "EgpuFleet.Worker").All(span => ReachesRequest(span, byId));
    }

    private static bool ReachesRequest(ReceivedSpan span, Dictionary<string, ReceivedSpan> byId)
    {
        var current = span;
        for (var depth = 0; depth < byId.Count; depth++)
        {
            if (current.Scope == "Microsoft.AspNetCore")
                return true;
            if (!byId.TryGetValue(current.ParentId, out var parent))
                return false;
            current = parent;
        }
        return false;
    }
}
