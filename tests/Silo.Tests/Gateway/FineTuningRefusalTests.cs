using System.Net;
using System.Text;
using EgpuFleet.Api;
using EgpuFleet.Formats.Tests.Adapters;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Requests for fine-tuning that are refused before anything is made of them.</summary>
[Collection(OnRunningSilo.Name)]
public sealed class FineTuningRefusalTests(RunningSilo silo)
{
    /// <summary>A body in which F stands for a good file, the code, and the field.</summary>
    public static readonly TheoryData<string, string, string?> Wrong = new()
    {
        { "{", "invalid_json", null },
        { "[]", "invalid_json", null },
        { "{}", "missing_required_parameter", "model" },
        { """{"model":"tiny-fleet"}""", "missing_required_parameter", "training_file" },
        { """{"model":7,"training_file":"F"}""", "invalid_value", "model" },
        { """{"model":"tiny-fleet","training_file":"file-x"}""", "file_not_found", "training_file" },
        {
            """{"model":"tiny-fleet","training_file":"F","validation_file":"no"}""",
            "file_not_found",
            "validation_file"
        },
        { """{"model":"tiny-fleet","training_file":"F","suffix":"a b"}""", "invalid_value", "suffix" },
        { """{"model":"tiny-fleet","training_file":"F","seed":-1}""", "invalid_value", "seed" },
        { """{"model":"tiny-fleet","training_file":"F","metadata":{"a":1}}""", "invalid_value", "metadata" },
        { """{"model":"tiny-fleet","training_file":"F","metadata":{"\ud800":"x"}}""", "invalid_value", "metadata" },
        { """{"model":"tiny-fleet","training_file":"F","metadata":{"a":"\u0000"}}""", "invalid_value", "metadata" },
        {
            """{"model":"tiny-fleet","training_file":"F","integrations":[{"type":"wandb"}]}""",
            "unsupported_parameter",
            "integrations"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","method":{"type":"dpo"}}""",
            "unsupported_method",
            "method.type"
        },
        { """{"model":"tiny-fleet","training_file":"F","method":"supervised"}""", "invalid_value", "method" },
        {
            """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"n_epochs":0}}""",
            "invalid_value",
            "n_epochs"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"n_epochs":"many"}}""",
            "invalid_value",
            "n_epochs"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"batch_size":257}}""",
            "invalid_value",
            "batch_size"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","hyperparameters":{"learning_rate_multiplier":0}}""",
            "invalid_value",
            "learning_rate_multiplier"
        },
        { """{"model":"tiny-fleet","training_file":"F","egpufleet":{"rnak":8}}""", "invalid_value", "egpufleet" },
        { """{"model":"tiny-fleet","training_file":"F","egpufleet":{"rank":0}}""", "invalid_value", "rank" },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":7}}""",
            "invalid_value",
            "data_parallel"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{}}}""",
            "missing_required_parameter",
            "data_parallel.devices"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":1}}}""",
            "invalid_value",
            "data_parallel.devices"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":17}}}""",
            "invalid_value",
            "data_parallel.devices"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"stesp":3}}}""",
            "invalid_value",
            "data_parallel"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"steps":0}}}""",
            "invalid_value",
            "data_parallel.steps"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"round_seconds":0.5}}}""",
            "invalid_value",
            "data_parallel.round_seconds"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"outer_rate":0}}}""",
            "invalid_value",
            "data_parallel.outer_rate"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"outer_momentum":1}}}""",
            "invalid_value",
            "data_parallel.outer_momentum"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"data_parallel":{"devices":2,"encoding":"f8"}}}""",
            "invalid_value",
            "data_parallel.encoding"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"max_steps":9,"data_parallel":{"devices":2}}}""",
            "invalid_value",
            "max_steps"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"method":"full","rank":8}}""",
            "invalid_value",
            "rank"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"targets":["attn_q","attn_q"]}}""",
            "invalid_value",
            "targets"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"targets":["output"]}}""",
            "invalid_value",
            "targets"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"row_tokens":100000}}""",
            "invalid_value",
            "row_tokens"
        },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"engine":"llama.cpp"}}""",
            "invalid_value",
            "engine"
        },
        { """{"model":"tiny-fleet","training_file":"F","egpufleet":{"require":"tpu"}}""", "invalid_value", "require" },
        {
            """{"model":"tiny-fleet","training_file":"F","egpufleet":{"start_from":"ckpt_x"}}""",
            "invalid_value",
            "start_from"
        },
    };

    private readonly FineTuningCalls calls = new(silo);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_request_is_a_400_that_names_the_field(string body, string code, string? field)
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        var text = body.Replace("\"F\"", $"\"{file}\"", StringComparison.Ordinal);
        using var response = await silo.Http.PostAsync(Routes.FineTuning, FineTuningCalls.Json(text), Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal((code, field), ((string?)error["code"], (string?)error["param"]));
        Assert.Equal("invalid_request_error", (string?)error["type"]);
    }

    [Fact]
    public async Task An_unknown_base_and_unknown_jobs_are_404s()
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        using var model = await silo.Http.PostAsync(
            Routes.FineTuning,
            FineTuningCalls.Json($$"""{"model":"no-such","training_file":"{{file}}"}"""),
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
        var file = await calls.UploadAsync(lines);
        using var response = await silo.Http.PostAsync(
            Routes.FineTuning,
            FineTuningCalls.Json(FineTuningCalls.Body(file)),
            Token
        );
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal((code, "training_file"), ((string?)error["code"], (string?)error["param"]));
        Assert.Contains(words, (string?)error["message"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training_file")]
    [InlineData("validation_file")]
    public async Task A_sample_longer_than_a_row_is_named_by_its_line_before_there_is_a_job(string field)
    {
        var text = string.Join(' ', Enumerable.Repeat("gpu", 500));
        var good = await calls.UploadAsync(FineTuningCalls.Lines);
        var file = await calls.UploadAsync($$"""{"text":"short"}{{"\n"}}{"text":"{{text}}"}{{"\n"}}""");
        var before = (await calls.GetAsync(""))["first_id"]?.ToString();
        var body =
            field == "training_file"
                ? FineTuningCalls.Body(file, ""","egpufleet":{"row_tokens":64}""")
                : FineTuningCalls.Body(good, $$""","validation_file":"{{file}}","egpufleet":{"row_tokens":64}""");
        using var response = await silo.Http.PostAsync(Routes.FineTuning, FineTuningCalls.Json(body), Token);
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal(("sample_too_long", field), ((string?)error["code"], (string?)error["param"]));
        Assert.StartsWith("Line 2 has ", (string?)error["message"], StringComparison.Ordinal);
        Assert.Equal(before, (await calls.GetAsync(""))["first_id"]?.ToString());
    }

    [Fact]
    public async Task An_adapter_is_no_base_and_the_answer_names_its_own()
    {
        var model = await File.ReadAllBytesAsync(RunningSilo.SampleModelPath, Token);
        using var adapter = new MemoryStream(AdapterBytes.Gguf(model, spread: 0.1f));
        await silo.Client.AddModelAsync("not-a-base", adapter, Token);
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        using var response = await silo.Http.PostAsync(
            Routes.FineTuning,
            FineTuningCalls.Json($$"""{"model":"not-a-base","training_file":"{{file}}"}"""),
            Token
        );
        var error = await response.EnvelopeAsync(HttpStatusCode.BadRequest);
        Assert.Equal(("model_is_adapter", "model"), ((string?)error["code"], (string?)error["param"]));
        Assert.StartsWith("not-a-base is an adapter; train ", (string?)error["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_for_another_purpose_is_refused()
    {
        await using var content = new MemoryStream(Encoding.UTF8.GetBytes(FineTuningCalls.Lines));
        var file = await silo.Client.UploadFileAsync(content, "a.jsonl", "batch", Token);
        using var response = await silo.Http.PostAsync(
            Routes.FineTuning,
            FineTuningCalls.Json(FineTuningCalls.Body(file.Id)),
            Token
        );
        Assert.Equal(
            "invalid_file_purpose",
            (string?)(await response.EnvelopeAsync(HttpStatusCode.BadRequest))["code"]
        );
    }
}
