using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>The log of a job, followed live, resumed, and as a page.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class JobEventTests(RunningSilo silo)
{
    [Fact]
    public async Task A_stream_starts_with_a_snapshot_follows_the_log_and_ends_with_the_job()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var job = await SubmitAsync();
        var frames = new List<SseItem<string>>();

        await foreach (var frame in ReadAsync(job.Id, null))
        {
            frames.Add(frame);
            // Only now does the job end: what follows can only have come live.
            if (KindOf(frame) == "submitted")
                await silo.Client.CancelJobAsync(job.Id, cancellationToken);
        }

        Assert.Equal("snapshot", frames[0].EventType);
        Assert.Equal(job.Id, JsonSerializer.Deserialize<JobInfo>(frames[0].Data, ApiJson.Options)!.Id);
        Assert.Equal(["submitted", "cancelled"], frames.Select(KindOf).OfType<string>());
        var ids = frames
            .Where(frame => KindOf(frame) is not null)
            .Select(frame => long.Parse(frame.EventId!))
            .ToArray();
        Assert.Equal(ids.Order().Distinct(), ids);
    }

    [Fact]
    public async Task A_stream_resumes_after_the_last_event_that_was_seen()
    {
        var job = await SubmitAsync();
        await silo.Client.CancelJobAsync(job.Id, TestContext.Current.CancellationToken);
        var all = await CollectAsync(job.Id, null);

        var afterFirst = await CollectAsync(job.Id, all[0].Id);
        var afterLast = await CollectAsync(job.Id, all[^1].Id);

        Assert.Equal(all.Skip(1), afterFirst);
        Assert.Empty(afterLast);
    }

    [Fact]
    public async Task A_caller_that_wants_json_gets_pages()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var job = await SubmitAsync();
        await silo.Client.CancelJobAsync(job.Id, cancellationToken);

        var first = await PageAsync(job.Id, "limit=1");
        var second = await PageAsync(job.Id, $"limit=1&after={first.LastId}");

        Assert.Equal("submitted", Assert.Single(first.Data).Type);
        Assert.True(first.HasMore);
        Assert.Equal("cancelled", Assert.Single(second.Data).Type);
        Assert.False(second.HasMore);
    }

    [Fact]
    public async Task A_last_event_id_that_is_no_sequence_is_refused()
    {
        var job = await SubmitAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, Routes.JobEvents(job.Id));
        request.Headers.Add("Last-Event-ID", "yesterday");

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(System.Net.HttpStatusCode.BadRequest);
    }

    private static string? KindOf(SseItem<string> frame) =>
        frame.EventType == "event" ? JsonSerializer.Deserialize<JobEventInfo>(frame.Data, ApiJson.Options)!.Type : null;

    private async Task<List<(string? Id, string? Kind)>> CollectAsync(string job, string? after)
    {
        var events = new List<(string?, string?)>();
        await foreach (var frame in ReadAsync(job, after))
        {
            if (KindOf(frame) is { } kind)
                events.Add((frame.EventId, kind));
        }
        return events;
    }

    private async IAsyncEnumerable<SseItem<string>> ReadAsync(string job, string? after)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var request = new HttpRequestMessage(HttpMethod.Get, Routes.JobEvents(job));
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (after is not null)
            request.Headers.Add("Last-Event-ID", after);
        using var response = await silo.Http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        response.EnsureSuccessStatusCode();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var frame in SseParser.Create(stream).EnumerateAsync(cancellationToken))
            yield return frame;
    }

    private async Task<Page<JobEventInfo>> PageAsync(string job, string query)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Routes.JobEvents(job)}?{query}");
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);
        return (
            await response.Content.ReadFromJsonAsync<Page<JobEventInfo>>(
                ApiJson.Options,
                TestContext.Current.CancellationToken
            )
        )!;
    }

    private Task<JobInfo> SubmitAsync() =>
        silo.Client.SubmitAsync(
            Submissions.Batch(new BatchLine("a", "One")),
            null,
            TestContext.Current.CancellationToken
        );
}
