using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary><c>/v1/fine_tuning/jobs</c> over HTTP: what is made of a request, and what is refused before anything is.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class FineTuningTests(RunningSilo silo)
{
    private const string Lines = """
        {"text":"To be, or not to be"}
        {"text":"that is the question"}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_has_the_official_fields_and_what_was_left_open_is_chosen_with_a_reason()
    {
        var file = await UploadAsync(Lines);
        var answer = await CreateAsync(
            $$$"""
            {"model":"{{{RunningSilo.Model}}}","training_file":"{{{file}}}","suffix":"bard","seed":7,
             "metadata":{"team":"a"},"integrations":null,
             "method":{"type":"supervised","supervised":{"hyperparameters":{"n_epochs":"auto","batch_size":2} } } }
            """
        );
        string[] official =
        [
            "created_at",
            "error",
            "estimated_finish",
            "fine_tuned_model",
            "finished_at",
            "hyperparameters",
            "id",
            "integrations",
            "metadata",
            "method",
            "model",
            "object",
            "organization_id",
            "result_files",
            "seed",
            "status",
            "trained_tokens",
            "training_file",
            "validation_file",
        ];
        Assert.Empty(official.Except(answer.Select(field => field.Key)));
        Assert.Equal("fine_tuning.job", (string?)answer["object"]);
        Assert.StartsWith("ftjob-", (string?)answer["id"], StringComparison.Ordinal);
        Assert.Equal(("queued", 7), ((string?)answer["status"], (int?)answer["seed"]));
        Assert.Equal("supervised", (string?)answer["method"]!["type"]);
        Assert.Equal(
            (10, 2),
            ((int?)answer["hyperparameters"]!["n_epochs"], (int?)answer["hyperparameters"]!["batch_size"])
        );
        Assert.All(
            (string[])["error", "fine_tuned_model", "finished_at", "estimated_finish", "trained_tokens"],
            field => Assert.Null(answer[field])
        );
        var ours = answer["egpufleet"]!;
        Assert.Equal(("lora", "queued"), ((string?)ours["method"], (string?)ours["phase"]));
        Assert.NotNull(ours["chosen"]!["n_epochs"]);
        Assert.Null(ours["chosen"]!["batch_size"]);
        Assert.StartsWith($"ft:{RunningSilo.Model}:default:bard:", (string?)ours["result"], StringComparison.Ordinal);

        var native = await silo.Client.GetJobAsync((string)ours["job"]!, Token);
        Assert.Equal(("train", (string?)answer["id"]), (native.Kind, native.Train?.FineTuningJob));
        Assert.Equal(
            RefusalCode.NoMatchingDevice.ToString(),
            (await silo.Client.WhyAsync(native.Id, Token)).Reasons[0].Code
        );
    }

    [Fact]
    public async Task It_is_listed_by_its_metadata_and_told_of_in_pages()
    {
        var file = await UploadAsync(Lines);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add((string)(await CreateAsync(Body(file, ""","metadata":{"listed":"yes"}""")))["id"]!);
        var all = await GetAsync("?metadata[listed]=yes");
        Assert.Equal(ids.AsEnumerable().Reverse(), all["data"]!.AsArray().Select(one => (string)one!["id"]!));
        Assert.False((bool)all["has_more"]!);
        Assert.Empty((await GetAsync("?metadata[listed]=no"))["data"]!.AsArray());
        var first = await GetAsync("?metadata[listed]=yes&limit=2");
        Assert.True((bool)first["has_more"]!);
        var second = await GetAsync($"?metadata[listed]=yes&limit=2&after={first["last_id"]}");
        Assert.Equal(ids[0], (string?)Assert.Single(second["data"]!.AsArray())!["id"]);

        var events = await GetAsync($"/{ids[0]}/events");
        var line = Assert.Single(events["data"]!.AsArray())!;
        Assert.Equal(
            ("fine_tuning.job.event", "info", "message"),
            ((string?)line["object"], (string?)line["level"], (string?)line["type"])
        );
        Assert.Equal($"Created fine-tuning job: {ids[0]}", (string?)line["message"]);
        Assert.Empty((await GetAsync($"/{ids[0]}/events?after={line["id"]}"))["data"]!.AsArray());
        Assert.Empty((await GetAsync($"/{ids[0]}/checkpoints"))["data"]!.AsArray());
    }

    [Fact]
    public async Task One_that_waits_is_paused_resumed_and_cancelled_once()
    {
        var file = await UploadAsync(Lines);
        var id = (string)(await CreateAsync(Body(file)))["id"]!;
        Assert.Equal("held", await SteerAsync(id, "pause"));
        Assert.Equal("held", await SteerAsync(id, "pause"));
        Assert.Equal("queued", await SteerAsync(id, "resume"));
        Assert.Equal("cancelled", await SteerAsync(id, "cancel"));
        Assert.Equal("cancelled", await SteerAsync(id, "cancel"));
        using var late = await silo.Http.PostAsync($"{Routes.FineTuningVerb(id, "resume")}", null, Token);
        Assert.Equal("invalid_job_state", (string?)(await late.EnvelopeAsync(HttpStatusCode.BadRequest))["code"]);
        var job = await GetAsync($"/{id}");
        Assert.Equal("cancelled", (string?)job["status"]);
        Assert.NotNull(job["finished_at"]);
    }

    [Fact]
    public async Task A_key_makes_one_job_and_a_file_in_use_stays()
    {
        var file = await UploadAsync(Lines);
        var (first, again) = (await KeyedAsync(Body(file)), await KeyedAsync(Body(file)));
        var id = (string)(await ReadAsync(first))["id"]!;
        Assert.Equal(id, (string?)(await ReadAsync(again))["id"]);
        Assert.Equal("true", Assert.Single(again.Headers.GetValues("Idempotency-Replayed")));
        using var other = await KeyedAsync(Body(file, ""","seed":1"""));
        await other.EnvelopeAsync(HttpStatusCode.UnprocessableEntity);
        using var refused = await silo.Http.DeleteAsync(Routes.File(file), Token);
        Assert.Equal("file_in_use", (string?)(await refused.EnvelopeAsync(HttpStatusCode.Conflict))["code"]);
        await SteerAsync(id, "cancel");
        using var gone = await silo.Http.DeleteAsync(Routes.File(file), Token);
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);

        async Task<HttpResponseMessage> KeyedAsync(string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Routes.FineTuning) { Content = Json(body) };
            request.Headers.Add("Idempotency-Key", $"ft-{file}");
            return await silo.Http.SendAsync(request, Token);
        }
    }

    [Theory]
    [InlineData("{", "invalid_json", null)]
    [InlineData("[]", "invalid_json", null)]
    [InlineData("{}", "missing_required_parameter", "model")]
    [InlineData("""{"model":"tiny-fleet"}""", "missing_required_parameter", "training_file")]
    [InlineData("""{"model":7,"training_file":"F"}""", "invalid_value", "model")]
    [InlineData("""{"model":"tiny-fleet","training_file":"file-x"}""", "file_not_found", "training_file")]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","validation_file":"no"}""",
        "file_not_found",
        "validation_file"
    )]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","suffix":"a b"}""", "invalid_value", "suffix")]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","seed":-1}""", "invalid_value", "seed")]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","metadata":{"a":1}}""", "invalid_value", "metadata")]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","metadata":{"\ud800":"x"}}""",
        "invalid_value",
        "metadata"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","metadata":{"a":"\u0000"}}""",
        "invalid_value",
        "metadata"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","integrations":[{"type":"wandb"}]}""",
        "unsupported_parameter",
        "integrations"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","method":{"type":"dpo"}}""",
        "unsupported_method",
        "method.type"
    )]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","method":"supervised"}""", "invalid_value", "method")]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"n_epochs":0}}""",
        "invalid_value",
        "n_epochs"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"n_epochs":"many"}}""",
        "invalid_value",
        "n_epochs"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"batch_size":257}}""",
        "invalid_value",
        "batch_size"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"learning_rate_multiplier":0}}""",
        "invalid_value",
        "learning_rate_multiplier"
    )]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","egpufleet":{"rnak":8}}""", "invalid_value", "egpufleet")]
    [InlineData("""{"model":"tiny-fleet","training_file":"F","egpufleet":{"rank":0}}""", "invalid_value", "rank")]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"method":"full","rank":8}}""",
        "invalid_value",
        "rank"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"targets":["attn_q","attn_q"]}}""",
        "invalid_value",
        "targets"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"targets":["output"]}}""",
        "invalid_value",
        "targets"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"row_tokens":100000}}""",
        "invalid_value",
        "row_tokens"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"engine":"llama.cpp"}}""",
        "invalid_value",
        "engine"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"require":"tpu"}}""",
        "invalid_value",
        "require"
    )]
    [InlineData(
        """{"model":"tiny-fleet","training_file":"F","egpufleet":{"start_from":"ckpt_x"}}""",
        "invalid_value",
        "start_from"
    )]
    public async Task A_wrong_request_is_a_400_that_names_the_field(string body, string code, string? field)
    {
        var file = await UploadAsync(Lines);
        var text = body.Replace("\"F\"", $"\"{file}\"", StringComparison.Ordinal);
        using var response = await silo.Http.PostAsync(Routes.FineTuning, Json(text), Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal((code, field), ((string?)error["code"], (string?)error["param"]));
        Assert.Equal("invalid_request_error", (string?)error["type"]);
    }

    [Fact]
    public async Task An_unknown_base_and_unknown_jobs_are_404s()
    {
        var file = await UploadAsync(Lines);
        using var model = await silo.Http.PostAsync(
            Routes.FineTuning,
            Json($$"""{"model":"no-such","training_file":"{{file}}"}"""),
            Token
        );
        Assert.Equal("model_not_found", (string?)(await model.EnvelopeAsync(HttpStatusCode.NotFound))["code"]);
        foreach (var id in (string[])["ftjob-x", $"ftjob-{Guid.NewGuid():N}", "job_1"])
        {
            using var response = await silo.Http.GetAsync(Routes.FineTuningJob(id), Token);
            Assert.Equal(
                "fine_tune_not_found",
                (string?)(await response.EnvelopeAsync(HttpStatusCode.NotFound))["code"]
            );
        }
    }

    [Theory]
    [InlineData("{\"text\":\"a\"}\nnonsense\n{\"text\":7}\n", "malformed_json", "Line 2")]
    [InlineData("\n\n", "empty_file", "no samples")]
    [InlineData("{\"text\":\"a\"}\n{\"prompt\":\"a\",\"completion\":\"b\"}\n", "mixed_shapes", "Line 2")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n", "no_assistant_message", "Line 1")]
    public async Task Lines_that_cannot_be_trained_on_are_named_with_their_numbers(
        string lines,
        string code,
        string words
    )
    {
        var file = await UploadAsync(lines);
        using var response = await silo.Http.PostAsync(Routes.FineTuning, Json(Body(file)), Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal((code, "training_file"), ((string?)error["code"], (string?)error["param"]));
        Assert.Contains(words, (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_for_another_purpose_is_refused()
    {
        await using var content = new MemoryStream(Encoding.UTF8.GetBytes(Lines));
        var file = await silo.Client.UploadFileAsync(content, "a.jsonl", "batch", Token);
        using var response = await silo.Http.PostAsync(Routes.FineTuning, Json(Body(file.Id)), Token);
        Assert.Equal(
            "invalid_file_purpose",
            (string?)(await response.EnvelopeAsync(HttpStatusCode.BadRequest))["code"]
        );
    }

    private static string Body(string file, string more = "") =>
        $$"""{"model":"{{RunningSilo.Model}}","training_file":"{{file}}"{{more}}}""";

    private static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    private async Task<string> UploadAsync(string lines)
    {
        await using var content = new MemoryStream(Encoding.UTF8.GetBytes(lines));
        return (await silo.Client.UploadFileAsync(content, "train.jsonl", "fine-tune", Token)).Id;
    }

    private async Task<JsonObject> CreateAsync(string body)
    {
        using var response = await silo.Http.PostAsync(Routes.FineTuning, Json(body), Token);
        return await ReadAsync(response);
    }

    private async Task<JsonObject> GetAsync(string path) =>
        await ReadAsync(await silo.Http.GetAsync(Routes.FineTuning + path, Token));

    private async Task<string?> SteerAsync(string id, string verb)
    {
        using var response = await silo.Http.PostAsync(Routes.FineTuningVerb(id, verb), null, Token);
        return (string?)(await ReadAsync(response))["egpufleet"]!["phase"];
    }

    private static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!.AsObject();
    }
}
