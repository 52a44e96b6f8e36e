using System.Net;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Jobs of kind tune: what is accepted is shown again, what is wrong names its field.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class TuneJobTests(RunningSilo silo)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tune_is_one_search_of_so_many_seconds()
    {
        var usual = await SubmitAsync(null);
        var brief = await SubmitAsync(new TuneOptions(5));

        Assert.Equal(("tune", RunningSilo.Model, 1), (usual.Kind, usual.Model, usual.Items.Total));
        Assert.Equal([300, 5], new[] { usual, brief }.Select(job => job.Tune?.Seconds));
        Assert.Empty((await silo.Client.ListTuningsAsync(Token)).Data);
    }

    [Theory]
    [InlineData("""{"kind":"tune"}""", "model")]
    [InlineData("""{"kind":"tune","model":"tiny-fleet","tune":{"seconds":4}}""", "tune.seconds")]
    [InlineData("""{"kind":"tune","model":"tiny-fleet","tune":{"seconds":3601}}""", "tune.seconds")]
    [InlineData("""{"kind":"tune","model":"tiny-fleet","generation":{}}""", "generation")]
    [InlineData("""{"kind":"tune","model":"tiny-fleet","items":[{"prompt":"a"}]}""", "items")]
    [InlineData("""{"kind":"tune","model":"tiny-fleet","payload":"a"}""", "payload")]
    [InlineData("""{"kind":"noop","payload":"a","tune":{}}""", "tune")]
    [InlineData("""{"kind":"batch","model":"tiny-fleet","items":[{"prompt":"a"}],"tune":{}}""", "tune")]
    public async Task A_wrong_field_is_named(string body, string field)
    {
        using var response = await silo.Http.SendAsync(Submissions.Json(body), Token);

        Assert.NotNull((await response.ProblemAsync(HttpStatusCode.UnprocessableEntity))["errors"]![field]);
    }

    [Fact]
    public async Task A_tune_takes_no_form_of_prompts()
    {
        using var response = await silo.Http.SendAsync(
            Submissions.Form("{\"prompt\":\"x\"}", job: new JobRequest("tune", RunningSilo.Model)),
            Token
        );

        Assert.NotNull((await response.ProblemAsync(HttpStatusCode.UnprocessableEntity))["errors"]!["kind"]);
    }

    private Task<JobInfo> SubmitAsync(TuneOptions? options) =>
        silo.Client.SubmitAsync(new JobRequest("tune", RunningSilo.Model, Hold: true, Tune: options), null, Token);
}
