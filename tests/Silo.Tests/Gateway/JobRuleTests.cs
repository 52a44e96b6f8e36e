using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>No-ops and the rules of any job: what is accepted is shown again, what is wrong names its field.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class JobRuleTests(RunningSilo silo)
{
    [Fact]
    public async Task Everything_that_was_asked_is_shown_again()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var other = await SubmitAsync(new JobRequest("noop", Payload: "first"));
        var request = new JobRequest(
            "noop",
            Priority: -7,
            Payload: "second",
            DurationMs: 250,
            Fault: "fail_retryable",
            Array: new ArrayOptions(3, MaxParallel: 2),
            DependsOn: [new DependencyOptions(other.Id, "after_any")],
            Deadline: "2999-12-31T23:59:59.123456789+02:00",
            MaxRunSeconds: 1.5,
            Retry: new RetryOptions(7, 0.5, 90),
            Hold: true
        );

        var answered = await SubmitAsync(request);
        var read = await silo.Client.GetJobAsync(answered.Id, cancellationToken);

        foreach (var job in (JobInfo[])[answered, read])
        {
            Assert.Equal(("noop", "held", -7, 3), (job.Kind, job.State, job.Priority, job.Items.Total));
            Assert.Null(job.Model);
            Assert.Null(job.Generation);
            Assert.Equal(new NoopInfo(250, "fail_retryable"), job.Noop);
            var rules = job.Rules!;
            Assert.Equal(new DependencyOptions(other.Id, "after_any"), Assert.Single(rules.DependsOn!));
            Assert.Equal(new DateTimeOffset(2999, 12, 31, 21, 59, 59, TimeSpan.Zero).AddTicks(1234567), rules.Deadline);
            Assert.Equal((1.5, 2), (rules.MaxRunSeconds, rules.MaxParallel));
            Assert.Equal(new RetryOptions(7, 0.5, 90), rules.Retry);
        }
        Assert.Equal(read.CreatedAt, answered.CreatedAt);
        Assert.Equal("OnHold", read.Reason?.Code);
    }

    [Fact]
    public async Task Left_out_rules_are_the_usual_ones()
    {
        var job = await SubmitAsync(new JobRequest("noop", Payload: ""));

        Assert.Equal(new NoopInfo(0, "none"), job.Noop);
        Assert.Equal(new JobRulesInfo(null, null, null, new RetryOptions(5, 0, 60), null), job.Rules);
        Assert.Equal("queued", job.State);
    }

    [Fact]
    public async Task A_no_op_takes_items_or_a_form_as_a_batch_does()
    {
        var listed = await SubmitAsync(
            new JobRequest("noop", Items: [new BatchLine("a", "x"), new BatchLine("b", "y")])
        );
        using var response = await silo.Http.SendAsync(
            Submissions.Form("{\"prompt\":\"x\"}\n{\"prompt\":\"y\"}\n{\"prompt\":\"z\"}", job: new JobRequest("noop")),
            TestContext.Current.CancellationToken
        );
        var formed = await response.Content.ReadFromJsonAsync<JobInfo>(
            ApiJson.Options,
            TestContext.Current.CancellationToken
        );

        Assert.Equal(2, listed.Items.Total);
        Assert.Equal(3, formed!.Items.Total);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(50_000)]
    public async Task An_array_has_as_many_items_as_it_says(int count)
    {
        var job = await SubmitAsync(
            new JobRequest("noop", Payload: "same", Array: new ArrayOptions(count), Hold: true)
        );

        Assert.Equal(count, job.Items.Total);
    }

    [Theory]
    [InlineData("""{"kind":"noop"}""", "payload")]
    [InlineData("""{"kind":"noop","payload":"a","items":[{"prompt":"a"}]}""", "items")]
    [InlineData("""{"kind":"noop","items":[]}""", "items")]
    [InlineData("""{"kind":"noop","items":[{"messages":[{"role":"user","content":"a"}]}]}""", "items[0]")]
    [InlineData("""{"kind":"noop","payload":"a\u0000b"}""", "payload")]
    [InlineData("""{"kind":"noop","payload":"a","model":"tiny-fleet"}""", "model")]
    [InlineData("""{"kind":"noop","payload":"a","generation":{}}""", "generation")]
    [InlineData("""{"kind":"noop","payload":"a","duration_ms":-1}""", "duration_ms")]
    [InlineData("""{"kind":"noop","payload":"a","duration_ms":3600001}""", "duration_ms")]
    [InlineData("""{"kind":"noop","payload":"a","fault":"explode"}""", "fault")]
    [InlineData("""{"kind":"noop","payload":"a","array":{}}""", "array.count")]
    [InlineData("""{"kind":"noop","payload":"a","array":{"count":0}}""", "array.count")]
    [InlineData("""{"kind":"noop","payload":"a","array":{"count":50001}}""", "array.count")]
    [InlineData("""{"kind":"noop","payload":"a","array":{"count":2,"max_parallel":0}}""", "array.max_parallel")]
    [InlineData(
        """{"kind":"noop","payload":"a","max_parallel":3,"array":{"count":2,"max_parallel":2}}""",
        "array.max_parallel"
    )]
    [InlineData("""{"kind":"noop","items":[{"prompt":"a"}],"array":{"count":2}}""", "array")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","payload":"a"}""", "payload")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"array":{"count":2}}""", "array")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"duration_ms":1}""", "duration_ms")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"fault":"none"}""", "fault")]
    public Task A_wrong_field_of_a_kind_is_named(string body, string field) => IsNamedAsync(body, field);

    [Fact]
    public async Task A_batch_says_on_what_devices_it_may_run()
    {
        var job = await SubmitAsync(
            new JobRequest("batch", RunningSilo.Model, Items: [new BatchLine("a", "x")], Hold: true)
            {
                Require = "gpu",
                Prefer = "egpu",
            }
        );

        Assert.Equal(("gpu", "egpu"), (job.Rules!.Require, job.Rules.Prefer));
    }

    [Theory]
    [InlineData("""{"kind":"noop","payload":"a","require":"gpu"}""", "require")]
    [InlineData("""{"kind":"noop","payload":"a","prefer":"gpu"}""", "prefer")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"require":"GPU"}""", "require")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"prefer":""}""", "prefer")]
    [InlineData("""{"kind":"noop","payload":"a","priority":1000000000}""", "priority")]
    [InlineData("""{"kind":"noop","payload":"a","priority":-101}""", "priority")]
    [InlineData("""{"kind":"noop","payload":"a","max_parallel":0}""", "max_parallel")]
    [InlineData("""{"kind":"noop","payload":"a","max_run_seconds":0}""", "max_run_seconds")]
    [InlineData("""{"kind":"noop","payload":"a","max_run_seconds":-1}""", "max_run_seconds")]
    [InlineData("""{"kind":"noop","payload":"a","max_run_seconds":1e300}""", "max_run_seconds")]
    [InlineData("""{"kind":"noop","payload":"a","retry":{"max_attempts":0}}""", "retry.max_attempts")]
    [InlineData("""{"kind":"noop","payload":"a","retry":{"max_attempts":101}}""", "retry.max_attempts")]
    [InlineData("""{"kind":"noop","payload":"a","retry":{"backoff_seconds":-1}}""", "retry.backoff_seconds")]
    [InlineData("""{"kind":"noop","payload":"a","retry":{"backoff_seconds":3601}}""", "retry.backoff_seconds")]
    [InlineData(
        """{"kind":"noop","payload":"a","retry":{"backoff_seconds":10,"max_backoff_seconds":5}}""",
        "retry.max_backoff_seconds"
    )]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"2001-01-01T00:00:00Z"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"tomorrow"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":""}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"2999-01-01T00:00:00"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"2999-02-30T00:00:00Z"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"2999-01-01"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","deadline":"9999-12-31T23:59:59-14:00"}""", "deadline")]
    [InlineData("""{"kind":"noop","payload":"a","depends_on":[{"job":"job_1"}]}""", "depends_on[0].job")]
    [InlineData("""{"kind":"noop","payload":"a","depends_on":[{}]}""", "depends_on[0]")]
    [InlineData("""{"kind":"noop","payload":"a","depends_on":[null]}""", "depends_on[0]")]
    [InlineData("""{"kind":"noop","payload":"a","depends_on":[{"ref":"a"}]}""", "depends_on[0].ref")]
    [InlineData(
        """{"kind":"noop","payload":"a","depends_on":[{"job":"job_00000000000000000000000000000000","condition":"later"}]}""",
        "depends_on[0].condition"
    )]
    [InlineData(
        """{"kind":"noop","payload":"a","depends_on":[{"job":"job_00000000000000000000000000000000"},{"job":"job_00000000000000000000000000000000"}]}""",
        "depends_on[1]"
    )]
    [InlineData("""{"kind":"noop","payload":"a","ref":"a"}""", "ref")]
    public Task A_wrong_rule_is_named(string body, string field) => IsNamedAsync(body, field);

    [Theory]
    [InlineData("priority", "\"high\"")]
    [InlineData("priority", "1.5")]
    [InlineData("priority", "1e9")]
    [InlineData("priority", "99999999999999999999999999999999")]
    [InlineData("duration_ms", "\"1\"")]
    [InlineData("duration_ms", "1e999")]
    [InlineData("duration_ms", "NaN")]
    [InlineData("fault", "1")]
    [InlineData("array", "[1,2]")]
    [InlineData("array", "5")]
    [InlineData("depends_on", "\"job_00000000000000000000000000000000\"")]
    [InlineData("depends_on", "{\"job\":\"a\"}")]
    [InlineData("depends_on", "[\"job_00000000000000000000000000000000\"]")]
    [InlineData("depends_on", "[[[[]]]]")]
    [InlineData("deadline", "1795000000")]
    [InlineData("max_run_seconds", "\"60\"")]
    [InlineData("max_run_seconds", "Infinity")]
    [InlineData("retry", "3")]
    [InlineData("retry", "{\"attempts\":3}")]
    [InlineData("max_parallel", "true")]
    [InlineData("hold", "\"yes\"")]
    [InlineData("payload", "{\"a\":1}")]
    [InlineData("payload", "\"a\",\"payload\":\"b\"")]
    public async Task A_field_of_a_wrong_type_is_refused(string field, string value)
    {
        var body = $$"""{"kind":"noop","{{field}}":{{value}}}""";

        using var response = await silo.Http.SendAsync(Submissions.Json(body), TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync(HttpStatusCode.BadRequest);
        Assert.Equal("invalid_json", Answers.CodeOf(problem));
    }

    [Fact]
    public async Task Arrays_of_arrays_and_deep_nesting_are_refused()
    {
        var arrays = string.Join(',', Enumerable.Repeat("[]", 10_000));
        var deep = new string('[', 10_000) + new string(']', 10_000);
        foreach (
            var value in (string[])[$"[{arrays}]", $"[{string.Join(',', Enumerable.Repeat($"[{arrays}]", 20))}]", deep]
        )
        {
            foreach (var field in (string[])["items", "depends_on", "array", "retry", "payload"])
            {
                using var response = await silo.Http.SendAsync(
                    Submissions.Json($$"""{"kind":"noop","{{field}}":{{value}}}"""),
                    TestContext.Current.CancellationToken
                );
                await response.ProblemAsync(HttpStatusCode.BadRequest);
            }
        }
    }

    [Fact]
    public async Task More_dependencies_than_a_job_may_have_are_refused()
    {
        var many = Enumerable.Range(0, 101).Select(_ => new DependencyOptions($"job_{Guid.NewGuid():N}")).ToArray();

        using var response = await silo.Http.SendAsync(
            Submissions.Json(new JobRequest("noop", Payload: "a", DependsOn: many)),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.NotNull(problem["errors"]!["depends_on"]);
    }

    [Fact]
    public async Task A_dependency_that_does_not_exist_is_refused_and_named()
    {
        var missing = $"job_{Guid.NewGuid():N}";

        using var response = await silo.Http.SendAsync(
            Submissions.Json(new JobRequest("noop", Payload: "a", DependsOn: [new DependencyOptions(missing)])),
            TestContext.Current.CancellationToken
        );

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.Equal("UnknownDependency", Answers.CodeOf(problem));
        Assert.Contains(missing, (string?)problem["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64 << 10, 202)]
    [InlineData((64 << 10) + 1, 422)]
    public async Task A_payload_has_a_bound(int length, int status)
    {
        using var response = await silo.Http.SendAsync(
            Submissions.Json(new JobRequest("noop", Payload: new string('x', length))),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task The_document_lists_the_routes()
    {
        var text = await silo.Http.GetStringAsync("/openapi/v1.json", TestContext.Current.CancellationToken);

        var paths = JsonNode.Parse(text)!["paths"]!.AsObject().Select(path => path.Key).ToArray();
        foreach (
            var route in (string[])
                [
                    "jobs:bulk",
                    "jobs/{id}/why",
                    "jobs/{id}/hold",
                    "jobs/{id}/release",
                    "jobs/{id}/pause",
                    "jobs/{id}/resume",
                    "jobs/{id}/cancel",
                ]
        )
            Assert.Contains($"/api/v1/{route}", paths);
    }

    private async Task IsNamedAsync(string body, string field)
    {
        using var response = await silo.Http.SendAsync(Submissions.Json(body), TestContext.Current.CancellationToken);

        var problem = await response.ProblemAsync(HttpStatusCode.UnprocessableEntity);
        Assert.NotNull(problem["errors"]![field]);
    }

    private Task<JobInfo> SubmitAsync(JobRequest request) =>
        silo.Client.SubmitAsync(request, null, TestContext.Current.CancellationToken);
}
