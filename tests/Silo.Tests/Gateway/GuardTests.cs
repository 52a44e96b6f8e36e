using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>What holds for every route: who may call, and how every answer looks.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class GuardTests(RunningSilo silo)
{
    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:{port}")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("localhost.evil.example:{port}")]
    [InlineData("192.168.1.1:{port}")]
    public async Task Another_host_is_refused(string host)
    {
        foreach (var path in (string[])[Routes.Jobs, Routes.Live, "/", "/internal/membership"])
        {
            using var response = await AskAsync(path, host);
            var problem = await response.ProblemAsync(HttpStatusCode.BadRequest);
            Assert.Equal("host_not_allowed", Answers.CodeOf(problem));
        }
        using var envelope = await AskAsync("/v1/models", host);
        await envelope.EnvelopeAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("127.0.0.1:{port}")]
    [InlineData("localhost:{port}")]
    [InlineData("LOCALHOST:{port}")]
    [InlineData("127.1.2.3:{port}")]
    [InlineData("[::1]:{port}")]
    public async Task A_loopback_host_with_the_port_is_served(string host)
    {
        using var response = await AskAsync(Routes.Live, host);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("https://evil.example", false)]
    [InlineData("null", false)]
    [InlineData("http://127.0.0.1:1", false)]
    [InlineData("http://127.0.0.1:{port}", true)]
    [InlineData("http://localhost:{port}", true)]
    public async Task Only_pages_of_this_gateway_may_write(string origin, bool allowed)
    {
        using var request = Submissions.Json(Submissions.Batch(new BatchLine("a", "One")));
        request.Headers.Add("Origin", Fill(origin));

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        if (allowed)
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        else
            await response.ProblemAsync(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task No_answer_invites_other_origins()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Routes.Jobs);
        request.Headers.Add("Origin", "https://evil.example");

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.DoesNotContain(
            response.Headers,
            header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase)
        );
    }

    [Theory]
    [InlineData("GET", "/api/v1/nothing", 404)]
    [InlineData("GET", "/api/nothing", 404)]
    [InlineData("GET", "/internal/nothing", 404)]
    [InlineData("DELETE", "/api/v1/jobs", 405)]
    [InlineData("PATCH", "/api/v1/models/x", 405)]
    public async Task An_unknown_native_route_or_method_is_a_problem(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync((HttpStatusCode)status);
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404)]
    [InlineData("DELETE", "/v1/chat/completions", 405)]
    [InlineData("GET", "/v1/models/nope", 404)]
    public async Task An_unknown_OpenAI_route_or_method_is_an_envelope(string method, string path, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        await response.EnvelopeAsync((HttpStatusCode)status);
    }

    [Fact]
    public async Task Readiness_names_the_agent_that_is_missing()
    {
        var ready = await silo.Client.GetReadyAsync(TestContext.Current.CancellationToken);

        Assert.NotEqual("ok", ready.Status);
        Assert.True(ready.Checks.Single(check => check.Name == "database").Ok);
        Assert.True(ready.Checks.Single(check => check.Name == "silo").Ok);
        Assert.False(ready.Checks.Single(check => check.Name == $"agent {RunningSilo.ExpectedAgent}").Ok);
        using var plain = await silo.Http.GetAsync("/health", TestContext.Current.CancellationToken);
        await plain.ProblemAsync(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task The_api_document_describes_the_public_routes_and_no_internal_one()
    {
        var document = await silo.Http.GetFromJsonAsync<JsonNode>(
            "/openapi/v1.json",
            TestContext.Current.CancellationToken
        );

        var paths = document!["paths"]!.AsObject().Select(path => path.Key).ToArray();
        Assert.Contains(Routes.Jobs, paths);
        Assert.Contains("/v1/chat/completions", paths);
        Assert.DoesNotContain(paths, path => path.StartsWith("/internal", StringComparison.Ordinal));
        Assert.NotNull(document["components"]!["schemas"]!["JobInfo"]!["properties"]!["created_at"]);
    }

    [Fact]
    public async Task Metrics_are_Prometheus_text()
    {
        var text = await silo.Http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);

        Assert.Contains("# TYPE http_server_request_duration_seconds histogram", text, StringComparison.Ordinal);
        Assert.Contains("egpufleet_fence_epoch", text, StringComparison.Ordinal);
    }

    private async Task<HttpResponseMessage> AskAsync(string path, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Host = Fill(host);
        return await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private string Fill(string text) => text.Replace("{port}", silo.Port.ToString(), StringComparison.Ordinal);
}
