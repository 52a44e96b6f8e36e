using System.Text.Json;

namespace EgpuFleet.Cli.Tests;

/// <summary>Bulk submits and the verbs that steer a job; the gateway here is a stub.</summary>
public sealed class BulkSubmitTests
{
    private const string Accepted = """{"line":1,"status":202,"id":"job_1"}""";
    private const string Refused = """
        {"line":2,"status":422,"error":{"code":"invalid_request","detail":"priority: too high","field":"priority"}}
        """;

    private const string Unknown = """
        {"line":2,"status":503,"error":{"code":"pool_unavailable","detail":"No leader.","retry_after_seconds":2}}
        """;

    [Fact]
    public async Task The_summary_counts_the_lines_and_names_those_refused()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "jobs.jsonl");
        await File.WriteAllTextAsync(file, "{}\n{}\n", TestContext.Current.CancellationToken);
        using var gateway = new StubGateway((_, _) => (200, "application/x-ndjson", $"{Accepted}\n{Refused}\n"));

        var ending = await CommandProcess.RunAsync("submit", "--bulk", file, "--url", gateway.Url);

        Assert.Equal(1, ending.ExitCode);
        Assert.Contains("1 of 2 lines accepted, 1 refused", ending.Output, StringComparison.Ordinal);
        Assert.Contains("line 2: priority: too high", ending.Output, StringComparison.Ordinal);
        Assert.Equal("/api/v1/jobs:bulk", Assert.Single(gateway.Requests).Path);
    }

    [Fact]
    public async Task Lines_not_known_to_be_stored_are_sent_again_under_the_same_key()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "jobs.jsonl");
        await File.WriteAllTextAsync(file, "{}\n{}\n", TestContext.Current.CancellationToken);
        var tries = 0;
        using var gateway = new StubGateway(
            (_, _) =>
                ++tries switch
                {
                    1 => (503, "application/problem+json", "{}"),
                    2 => (200, "application/x-ndjson", $"{Accepted}\n{Unknown}\n"),
                    _ => (200, "application/x-ndjson", $"{Accepted}\n{Accepted.Replace('1', '2')}\n"),
                }
        );

        var ending = await CommandProcess.RunAsync(
            "submit",
            "--bulk",
            file,
            "--key",
            "nightly",
            "--json",
            "--url",
            gateway.Url
        );

        Assert.Equal(0, ending.ExitCode);
        var summary = JsonDocument.Parse(ending.Output).RootElement;
        Assert.Equal((2, 2), (summary.GetProperty("lines").GetInt32(), summary.GetProperty("accepted").GetInt32()));
        Assert.Equal(["nightly", "nightly", "nightly"], gateway.Requests.Select(request => request.Key));
    }

    [Theory]
    [InlineData("hold")]
    [InlineData("release")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("cancel")]
    public async Task A_verb_that_the_state_does_not_allow_fails_with_the_reason(string verb)
    {
        const string problem = """{"title":"Conflict","status":409,"detail":"The job is failed.","state":"failed"}""";
        using var gateway = new StubGateway((_, _) => (409, "application/problem+json", problem));

        var ending = await CommandProcess.RunAsync("jobs", verb, "job_1", "--url", gateway.Url);

        Assert.Equal(1, ending.ExitCode);
        Assert.StartsWith("The job is failed.", ending.Error, StringComparison.Ordinal);
        Assert.Equal($"/api/v1/jobs/job_1/{verb}", Assert.Single(gateway.Requests).Path);
    }

    [Fact]
    public async Task Why_prints_reasons_and_what_to_do()
    {
        const string why = """
            {"id":"job_2","state":"blocked","reasons":[{"code":"WaitingForDependency","message":"It starts after job_1.",
             "action":"Release job_1.","blocking_job_id":"job_1"}]}
            """;
        using var gateway = new StubGateway((_, _) => (200, "application/json", why));

        var ending = await CommandProcess.RunAsync("jobs", "why", "job_2", "--url", gateway.Url);

        Assert.Equal(0, ending.ExitCode);
        Assert.Contains("It starts after job_1. (WaitingForDependency)", ending.Output, StringComparison.Ordinal);
        Assert.Contains("To do: Release job_1.", ending.Output, StringComparison.Ordinal);
        Assert.Contains("./fleet jobs why job_1", ending.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("submit", "--kind", "noop")]
    [InlineData("submit", "--kind", "noop", "--payload", "a", "--prompt", "b")]
    [InlineData("submit", "--kind", "other", "--payload", "a")]
    [InlineData("submit", "--prompt", "a")]
    [InlineData("submit", "--bulk", "x.jsonl", "--payload", "a")]
    [InlineData("submit", "--bulk", "x.jsonl", "y.jsonl")]
    [InlineData("submit", "--bulk", "x.jsonl", "--wait")]
    [InlineData("submit", "--kind", "noop", "--payload", "a", "--key", "k")]
    [InlineData("submit", "--kind", "noop", "--payload", "a", "--array", "0")]
    [InlineData("submit", "--kind", "noop", "--payload", "a", "--attempts", "101")]
    [InlineData("jobs", "why")]
    [InlineData("jobs", "hold", "a", "b")]
    public async Task Wrong_usage_is_said_before_anything_is_sent(params string[] arguments)
    {
        using var gateway = new StubGateway((_, _) => (500, "text/plain", ""));

        var ending = await CommandProcess.RunAsync([.. arguments, "--url", gateway.Url]);

        Assert.Equal(2, ending.ExitCode);
        Assert.Empty(gateway.Requests);
    }
}
