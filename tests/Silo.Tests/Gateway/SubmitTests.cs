using System.Net;
using System.Net.Http.Json;
using System.Text;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Submitting: what is accepted, what is refused, and that a refusal leaves nothing behind.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class SubmitTests(RunningSilo silo)
{
    [Fact]
    public async Task A_job_is_accepted_and_says_why_it_waits()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var response = await silo.Http.SendAsync(
            Submissions.Json(Submissions.Batch(new BatchLine("a", "One"), new BatchLine("b", "Two"))),
            cancellationToken
        );

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var job = (await response.Content.ReadFromJsonAsync<JobInfo>(ApiJson.Options, cancellationToken))!;
        Assert.Equal(Routes.Job(job.Id), response.Headers.Location?.OriginalString);
        Assert.Equal(("queued", "batch", RunningSilo.Model), (job.State, job.Kind, job.Model));
        Assert.Equal(new ItemCounts(2, 0, 0), job.Items);
        Assert.Equal((4, 0d), (job.Generation?.MaxTokens, job.Generation?.Temperature));
        var read = await silo.Client.GetJobAsync(job.Id, cancellationToken);
        Assert.Equal("NoMatchingDevice", read.Reason?.Code);
        Assert.False(string.IsNullOrEmpty(read.Reason?.Message));
    }

    [Fact]
    public async Task A_form_with_lines_of_every_kind_is_accepted_whole()
    {
        const string Lines = """
            {"custom_id":"first","prompt":""}

            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello"}]}
            {"prompt":"Ünïcode \ud83d\ude00"}
            """;

        using var response = await silo.Http.SendAsync(
            Submissions.Form("\ufeff" + Lines + "\r\n"),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var job = (
            await response.Content.ReadFromJsonAsync<JobInfo>(ApiJson.Options, TestContext.Current.CancellationToken)
        )!;
        Assert.Equal(3, job.Items.Total);
    }

    [Theory]
    [InlineData("""{"prompt":"ok"}|{"prompt":""", "line 2", "")]
    [InlineData("""{"prompt":"ok"}||not json""", "line 3", "")]
    [InlineData("""{"prompt":"ok"}|{"prompt":"a"}{"prompt":"b"}""", "line 2", "")]
    [InlineData("""{"prompt":"ok"}|[]""", "line 2", "wrong type")]
    [InlineData("""{"prompt":"ok"}|null""", "line 2", "null")]
    [InlineData("""{"prompt":7}""", "line 1", "prompt has the wrong type")]
    [InlineData("""{"custom_id":"x"}""", "line 1", "either prompt or messages")]
    [InlineData("""{"prompt":"a","messages":[]}""", "line 1", "either prompt or messages")]
    [InlineData("""{"messages":[]}""", "line 1", "messages must have")]
    [InlineData("""{"messages":[{"role":"wizard","content":"hi"}]}""", "line 1", "role must be")]
    [InlineData("""{"messages":[{"role":"user"}]}""", "line 1", "needs role and content")]
    [InlineData("""{"prompt":"a","temprature":1}""", "line 1", "temprature is not a known field")]
    [InlineData("""{"prompt":"a","prompt":"b"}""", "line 1", "twice")]
    [InlineData("""{"prompt":"a\u0000b"}""", "line 1", "U+0000")]
    [InlineData("""{"prompt":"\ud800"}""", "line 1", "")]
    [InlineData("""{"custom_id":"","prompt":"a"}""", "line 1", "custom_id")]
    [InlineData("""{"custom_id":"x","prompt":"a"}|{"custom_id":"x","prompt":"b"}""", "line 2", "already used")]
    [InlineData("""{"custom_id":"1","prompt":"a"}|{"prompt":"b"}""", "line 2", "already used")]
    public async Task A_bad_line_is_named_with_its_number_and_reason_and_nothing_is_created(
        string lines,
        string place,
        string reason
    )
    {
        var before = await CountAsync();

        using var response = await silo.Http.SendAsync(
            Submissions.Form(lines.Replace('|', '\n')),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        var said = (string?)problem["errors"]![place]?[0];
        Assert.NotNull(said);
        Assert.NotEmpty(said);
        Assert.Contains(reason, said, StringComparison.Ordinal);
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task Bytes_that_are_no_text_are_refused_with_their_line()
    {
        byte[] bytes = [.. """{"prompt":"a"}"""u8, (byte)'\n', .. "{\"prompt\":\""u8, 0xff, 0xfe, .. "\"}"u8];

        using var response = await silo.Http.SendAsync(
            Submissions.Form(new ByteArrayContent(bytes)),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.NotNull(problem["errors"]!["line 2"]);
    }

    [Fact]
    public async Task A_line_beyond_its_limit_is_refused()
    {
        var line = $$"""{"prompt":"{{new string('x', Limits.LineBytes)}}"}""";

        using var response = await silo.Http.SendAsync(
            Submissions.Form("""{"prompt":"a"}""" + "\n" + line),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Contains("longer than", (string?)problem["errors"]!["line 2"]![0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_items_than_a_job_may_have_are_refused()
    {
        var lines = new StringBuilder();
        for (var i = 0; i <= Limits.ItemsPerJob; i++)
            lines.Append("{\"prompt\":\"\"}\n");

        using var response = await silo.Http.SendAsync(
            Submissions.Form(lines.ToString()),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.NotNull(problem["errors"]![$"line {Limits.ItemsPerJob + 1}"]);
    }

    [Theory]
    [InlineData("""{"model":"tiny-fleet","items":[{"prompt":"a"}]}""", 422, "kind")]
    [InlineData("""{"kind":"finetune","model":"tiny-fleet","items":[{"prompt":"a"}]}""", 422, "kind")]
    [InlineData("""{"kind":"batch","items":[{"prompt":"a"}]}""", 422, "model")]
    [InlineData("""{"kind":"batch","model":"nope","items":[{"prompt":"a"}]}""", 422, "model")]
    [InlineData("""{"kind":"batch","model":"../../etc","items":[{"prompt":"a"}]}""", 422, "model")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet"}""", 422, "items")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[]}""", 422, "items")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[null]}""", 422, "items[0]")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","priority":101,"items":[{"prompt":"a"}]}""", 422, "priority")]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"temperature":9},"items":[{"prompt":"a"}]}""",
        422,
        "generation.temperature"
    )]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"top_p":0},"items":[{"prompt":"a"}]}""",
        422,
        "generation.top_p"
    )]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"max_tokens":0},"items":[{"prompt":"a"}]}""",
        422,
        "generation.max_tokens"
    )]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"stop":["",""]},"items":[{"prompt":"a"}]}""",
        422,
        "generation.stop"
    )]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"stop":[null]},"items":[{"prompt":"a"}]}""",
        422,
        "generation.stop"
    )]
    [InlineData(
        """{"kind":"batch","model":"tiny-fleet","generation":{"seed":-1},"items":[{"prompt":"a"}]}""",
        422,
        "generation.seed"
    )]
    [InlineData("""{"kind":"batch","modle":"tiny-fleet"}""", 400, null)]
    [InlineData("""{"kind":""", 400, null)]
    [InlineData("", 400, null)]
    [InlineData("null", 400, null)]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", 400, null)]
    public async Task A_bad_request_names_its_field(string body, int status, string? field)
    {
        using var response = await silo.Http.SendAsync(Submissions.Json(body), TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync((HttpStatusCode)status);
        if (field is not null)
            Assert.NotNull(problem["errors"]![field]);
    }

    [Fact]
    public async Task An_unknown_model_names_those_that_are_registered()
    {
        using var response = await silo.Http.SendAsync(
            Submissions.Form("""{"prompt":"a"}""", job: new JobRequest("batch", "no-such-model")),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("model_not_found", Answers.CodeOf(problem));
        Assert.Contains(RunningSilo.Model, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain", 415)]
    [InlineData("multipart/form-data", 400)]
    [InlineData("multipart/form-data; boundary=x", 400)]
    public async Task A_body_that_is_neither_json_nor_such_a_form_is_refused(string contentType, int status)
    {
        var request = Submissions.Json("--y\r\n\r\nsomething");
        request.Content!.Headers.Remove("Content-Type");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync((HttpStatusCode)status);
    }

    [Fact]
    public async Task A_form_without_its_job_first_is_refused()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("""{"prompt":"a"}"""), "input", "a.jsonl" },
        };

        using var response = await silo.Http.PostAsync(Routes.Jobs, form, TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync(HttpStatusCode.BadRequest);
        Assert.Equal("malformed_form", Answers.CodeOf(problem));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_input_of_300_MB_is_refused_as_too_large_and_creates_nothing(bool lengthKnown)
    {
        var before = await CountAsync();
        using var request = Submissions.Form(new GeneratedLines(300L << 20, lengthKnown));
        request.Headers.TransferEncodingChunked = !lengthKnown;

        using var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken);

        await response.ProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(before, await CountAsync());
    }

    [Fact]
    public async Task A_json_job_larger_than_its_limit_is_refused()
    {
        var body = $$"""{"kind":"batch","model":"{{new string('x', (int)Limits.JobJsonBytes)}}"}""";

        using var response = await silo.Http.SendAsync(Submissions.Json(body), TestContext.Current.CancellationToken);

        await response.ProblemAsync(HttpStatusCode.RequestEntityTooLarge);
    }

    private async Task<int> CountAsync() =>
        (await silo.Client.ListJobsAsync(null, null, 100, TestContext.Current.CancellationToken)).Data.Count;
}
