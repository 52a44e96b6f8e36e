using System.Text.Json;

namespace EgpuFleet.Cli.Tests;

/// <summary>What the command line prints of a gateway's answers; the gateway here is a stub.</summary>
public sealed class JsonOutputTests
{
    private const string Job = """
        {"id":"job_1","object":"job","kind":"batch","model":"m","state":"succeeded","priority":0,
         "items":{"total":2,"completed":2,"failed":0},"generation":{},"created_at":"2026-01-01T00:00:00Z"}
        """;

    private const string Events = """
        {"object":"list","data":[{"sequence":1,"at":"2026-01-01T00:00:00Z","type":"shard_finished","shard":0,"epoch":1,
         "device":"local-1/cpu0","item_count":2}],"first_id":"1","last_id":"1","has_more":false}
        """;

    private const string Nodes = """
        {"object":"list","data":[{"id":"local-1","state":"ready","devices":["local-1/cpu0"]}],"has_more":false}
        """;

    [Fact]
    public async Task Lists_are_printed_as_the_api_gives_them()
    {
        using var gateway = new StubGateway((_, _) => (200, "application/json", Nodes));

        var ending = await CommandProcess.RunAsync("nodes", "--json", "--url", gateway.Url);

        var page = JsonDocument.Parse(ending.Output).RootElement;
        Assert.Equal("list", page.GetProperty("object").GetString());
        Assert.Equal("local-1", page.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.False(page.GetProperty("has_more").GetBoolean());
    }

    [Fact]
    public async Task A_list_for_people_is_a_table_with_a_header()
    {
        using var gateway = new StubGateway((_, _) => (200, "application/json", Nodes));

        var ending = await CommandProcess.RunAsync("nodes", "--url", gateway.Url);

        var lines = ending.Output.Split('\n');
        Assert.StartsWith("NODE ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("local-1  ready", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_comes_with_its_shards_per_device()
    {
        using var gateway = new StubGateway(
            (_, path) => (200, "application/json", path.EndsWith("/events", StringComparison.Ordinal) ? Events : Job)
        );

        var ending = await CommandProcess.RunAsync("job", "job_1", "--json", "--url", gateway.Url);

        var report = JsonDocument.Parse(ending.Output).RootElement;
        Assert.Equal("succeeded", report.GetProperty("job").GetProperty("state").GetString());
        var device = report.GetProperty("devices")[0];
        Assert.Equal("local-1/cpu0", device.GetProperty("device").GetString());
        Assert.Equal(1, device.GetProperty("finished").GetInt32());
        Assert.Equal(2, device.GetProperty("items").GetInt32());
    }

    [Fact]
    public async Task A_submission_carries_an_idempotency_key_and_repeats_it()
    {
        var tries = 0;
        using var gateway = new StubGateway(
            (_, _) => ++tries == 1 ? (503, "application/problem+json", "{}") : (202, "application/json", Job)
        );

        var ending = await CommandProcess.RunAsync("submit", "--model", "m", "--prompt", "p", "--url", gateway.Url);

        Assert.Equal(0, ending.ExitCode);
        Assert.Equal(2, gateway.Requests.Count);
        Assert.NotNull(gateway.Requests[0].Key);
        Assert.Equal(gateway.Requests[0].Key, gateway.Requests[1].Key);
    }

    [Fact]
    public async Task What_the_gateway_does_not_know_is_not_found()
    {
        const string problem = """{"title":"Not Found","status":404,"detail":"No job is called nope."}""";
        using var gateway = new StubGateway((_, _) => (404, "application/problem+json", problem));

        var ending = await CommandProcess.RunAsync("job", "nope", "--url", gateway.Url);

        Assert.Equal(3, ending.ExitCode);
        Assert.StartsWith("No job is called nope.", ending.Error, StringComparison.Ordinal);
    }
}
