using System.Net;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary><c>/v1/fine_tuning/estimate</c>: counts, a preview, no job; what is wrong is said as when a job is made.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class FineTuningEstimateTests(RunningSilo silo)
{
    private readonly FineTuningCalls calls = new(silo);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_counts_tokens_shows_the_first_sample_through_the_template_and_makes_no_job()
    {
        const string Chat = """
            {"messages":[{"role":"user","content":"What is a GPU?"},{"role":"assistant","content":"A processor."}]}
            """;
        var file = await calls.UploadAsync($"{Chat.Trim()}\n{Chat.Trim()}\n");
        var before = (await calls.GetAsync(""))["first_id"]?.ToString();
        var answer = await AskAsync(
            FineTuningCalls.Body(
                file,
                ""","hyperparameters":{"n_epochs":3,"batch_size":1},"egpufleet":{"row_tokens":128}"""
            )
        );

        Assert.Equal("fine_tuning.estimate", (string?)answer["object"]);
        var training = answer["training"]!;
        var (tokens, learnt) = ((long)training["tokens"]!, (long)training["trained_tokens"]!);
        Assert.Equal((2, 1), ((int)training["samples"]!, (int)training["rows"]!));
        Assert.InRange(learnt, 2, tokens / 2);
        Assert.Equal((3, 3 * learnt), ((int)answer["steps"]!, (long)answer["tokens"]!));
        Assert.True((bool)answer["is_counted"]!);
        var parts = answer["preview"]!["parts"]!.AsArray();
        var trained = string.Concat(
            parts.Where(part => (bool)part!["is_trained"]!).Select(part => (string)part!["text"]!)
        );
        var read = string.Concat(
            parts.Where(part => !(bool)part!["is_trained"]!).Select(part => (string)part!["text"]!)
        );
        Assert.Contains("A processor.", trained, StringComparison.Ordinal);
        Assert.Contains("What is a GPU?", read, StringComparison.Ordinal);
        // No agent has joined this silo: nothing trains, and nothing was ever measured.
        Assert.False((bool)answer["can_run"]!);
        Assert.All(answer["devices"]!.AsArray(), device => Assert.Null(device!["seconds"]));
        Assert.Equal(before, (await calls.GetAsync(""))["first_id"]?.ToString());
    }

    [Fact]
    public async Task A_sample_that_is_too_long_is_named_by_its_line()
    {
        var text = string.Join(' ', Enumerable.Repeat("gpu", 500));
        var file = await calls.UploadAsync($$"""{"text":"short"}{{"\n"}}{"text":"{{text}}"}{{"\n"}}""");
        using var response = await PostAsync(FineTuningCalls.Body(file, ""","egpufleet":{"row_tokens":64}"""));
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal(("sample_too_long", "training_file"), ((string?)error["code"], (string?)error["param"]));
        Assert.StartsWith("Line 2 has ", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_three_at_once_one_is_told_to_come_back_and_the_others_wait_for_what_is_slow()
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        await using var connection = await silo.Database.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using (var command = connection.CreateCommand())
        {
            // Nobody reads a file before it is given back.
            command.CommandText = "lock table file_chunk in access exclusive mode";
            await command.ExecuteNonQueryAsync(Token);
        }
        var all = Enumerable.Range(0, 3).Select(_ => PostAsync(FineTuningCalls.Body(file))).ToList();

        var first = await Task.WhenAny(all);
        using var refused = await first;
        var error = await refused.EnvelopeAsync(HttpStatusCode.TooManyRequests);
        Assert.Equal("too_many_estimates", (string?)error["code"]);
        Assert.NotNull(refused.Headers.RetryAfter);
        all.Remove(first);
        Assert.DoesNotContain(all, one => one.IsCompleted);

        await transaction.RollbackAsync(Token);
        foreach (var one in all)
            Assert.Equal(1, (int)(await FineTuningCalls.ReadAsync(await one))["training"]!["rows"]!);
        await AskAsync(FineTuningCalls.Body(file));
    }

    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest, "invalid_json")]
    [InlineData("[]", HttpStatusCode.BadRequest, "invalid_json")]
    [InlineData("""{"model":"no-such","training_file":"F"}""", HttpStatusCode.NotFound, "model_not_found")]
    [InlineData("""{"model":"tiny-fleet","training_file":"../x"}""", HttpStatusCode.BadRequest, "file_not_found")]
    [InlineData("""{"model":"tiny-fleet","training_file":"\ud800"}""", HttpStatusCode.BadRequest, "invalid_value")]
    public async Task A_wrong_request_is_refused_as_when_a_job_is_made(string body, HttpStatusCode status, string code)
    {
        using var response = await PostAsync(body);
        Assert.Equal(code, (string?)(await response.EnvelopeAsync(status))["code"]);
    }

    private Task<HttpResponseMessage> PostAsync(string body) =>
        silo.Http.PostAsync(Routes.FineTuningEstimate, FineTuningCalls.Json(body), Token);

    private async Task<JsonObject> AskAsync(string body)
    {
        using var response = await PostAsync(body);
        return await FineTuningCalls.ReadAsync(response);
    }
}
