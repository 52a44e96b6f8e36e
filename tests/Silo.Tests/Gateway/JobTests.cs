using System.Net;
using System.Net.Http.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Jobs in lists, one by one, cancelled, and their results.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class JobTests(RunningSilo silo)
{
    [Fact]
    public async Task Pages_cover_every_job_once_in_both_orders()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var made = new List<string>();
        for (var i = 0; i < 5; i++)
            made.Add((await SubmitAsync()).Id);

        var newest = await WalkAsync("desc");
        var oldest = await WalkAsync("asc");

        Assert.Equal(newest.Distinct(), newest);
        Assert.Equal(newest, oldest.AsEnumerable().Reverse());
        Assert.Equal(made.AsEnumerable().Reverse(), newest.Take(made.Count));
        var page = await silo.Client.ListJobsAsync(null, null, 2, cancellationToken);
        Assert.Equal((newest[0], newest[1], true), (page.FirstId, page.LastId, page.HasMore));
    }

    [Fact]
    public async Task A_state_filters()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var job = await SubmitAsync();
        await silo.Client.CancelJobAsync(job.Id, cancellationToken);

        var cancelled = await silo.Client.ListJobsAsync("cancelled", null, 100, cancellationToken);
        var queued = await silo.Client.ListJobsAsync("queued", null, 100, cancellationToken);

        Assert.Contains(cancelled.Data, found => found.Id == job.Id);
        Assert.All(cancelled.Data, found => Assert.Equal("cancelled", found.State));
        Assert.DoesNotContain(queued.Data, found => found.Id == job.Id);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=101")]
    [InlineData("limit=-1")]
    [InlineData("limit=ten")]
    [InlineData("order=up")]
    [InlineData("after=nothing")]
    [InlineData("state=sleeping")]
    [InlineData("state=0")]
    public async Task A_bad_query_is_refused(string query)
    {
        using var response = await silo.Http.GetAsync($"{Routes.Jobs}?{query}", TestContext.Current.CancellationToken);

        await response.ProblemAsync(HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("job_00000000000000000000000000000000")]
    [InlineData("job_")]
    [InlineData("x")]
    [InlineData("..%2f..%2fetc")]
    public async Task A_job_that_is_not_there_is_not_found_on_every_route(string id)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        foreach (var path in (string[])["", "/events", "/results"])
        {
            using var response = await silo.Http.GetAsync($"{Routes.Jobs}/{id}{path}", cancellationToken);
            await response.ProblemAsync(HttpStatusCode.NotFound);
        }
        using var cancel = await silo.Http.PostAsync($"{Routes.Jobs}/{id}/cancel", null, cancellationToken);
        await cancel.ProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Cancelling_twice_is_the_same_as_once()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var job = await SubmitAsync();

        var once = await silo.Client.CancelJobAsync(job.Id, cancellationToken);
        var twice = await silo.Client.CancelJobAsync(job.Id, cancellationToken);

        Assert.Equal("cancelled", once.State);
        Assert.NotNull(once.FinishedAt);
        Assert.Equal((once.State, once.FinishedAt), (twice.State, twice.FinishedAt));
    }

    [Fact]
    public async Task Results_of_a_job_without_any_are_an_empty_stream_of_lines()
    {
        var job = await SubmitAsync();

        using var response = await silo.Http.GetAsync(Routes.JobResults(job.Id), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    private async Task<List<string>> WalkAsync(string order)
    {
        var ids = new List<string>();
        string? after = null;
        while (true)
        {
            var page = await silo.Http.GetFromJsonAsync<Page<JobInfo>>(
                $"{Routes.Jobs}?limit=2&order={order}" + (after is null ? "" : $"&after={after}"),
                ApiJson.Options,
                TestContext.Current.CancellationToken
            );
            ids.AddRange(page!.Data.Select(job => job.Id));
            if (!page.HasMore)
                return ids;
            after = page.LastId;
        }
    }

    private Task<JobInfo> SubmitAsync() =>
        silo.Client.SubmitAsync(
            Submissions.Batch(new BatchLine("a", "One")),
            null,
            TestContext.Current.CancellationToken
        );
}
