using System.Net;
using System.Net.Http.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>An idempotency key makes a submit safe to repeat, whatever form it came in.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class IdempotencyTests(RunningSilo silo)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_same_key_and_body_answer_with_the_same_job(bool form)
    {
        var key = Guid.NewGuid().ToString();

        var (first, replayedFirst) = await SubmitAsync(Request("One", key, form));
        var (second, replayedSecond) = await SubmitAsync(Request("One", key, form));

        Assert.Equal(first.Id, second.Id);
        Assert.False(replayedFirst);
        Assert.True(replayedSecond);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_same_key_with_another_body_is_refused(bool form)
    {
        var key = Guid.NewGuid().ToString();
        var (first, _) = await SubmitAsync(Request("One", key, form));

        using var response = await silo.Http.SendAsync(
            Request("Two", key, form),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("idempotency_key_reused", Answers.CodeOf(problem));
        Assert.Contains(first.Id, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Concurrent_submits_with_one_key_make_one_job()
    {
        var key = Guid.NewGuid().ToString();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => SubmitAsync(Request("One", key, form: true)))
        );

        Assert.Single(answers.Select(answer => answer.Job.Id).Distinct());
        Assert.Single(answers, answer => !answer.Replayed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    public async Task A_malformed_key_is_refused(string key)
    {
        var request = Submissions.Json(Submissions.Batch(new BatchLine("a", "One")));
        request.Headers.TryAddWithoutValidation("Idempotency-Key", key);

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private static HttpRequestMessage Request(string prompt, string key, bool form) =>
        form
            ? Submissions.Form($$"""{"prompt":"{{prompt}}"}""", key)
            : Submissions.Json(Submissions.Batch(new BatchLine("a", prompt)), key);

    private async Task<(JobInfo Job, bool Replayed)> SubmitAsync(HttpRequestMessage request)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var response = await silo.Http.SendAsync(request, cancellationToken);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var job = (await response.Content.ReadFromJsonAsync<JobInfo>(ApiJson.Options, cancellationToken))!;
        return (job, response.Headers.Contains("Idempotency-Replayed"));
    }
}
