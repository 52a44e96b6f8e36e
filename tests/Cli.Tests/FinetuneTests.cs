using System.Text.Json;
using System.Text.Json.Nodes;

namespace EgpuFleet.Cli.Tests;

/// <summary>What <c>fleet finetune</c> sends and prints; the gateway here is a stub.</summary>
public sealed class FinetuneTests
{
    private const string StoredFile = """
        {"id":"file-1","object":"file","bytes":3,"created_at":1,"filename":"a.jsonl","purpose":"fine-tune",
         "status":"processed","egpufleet":{"sha256":"00"}}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Create_uploads_the_file_and_makes_one_job_of_it_under_a_key()
    {
        using var folder = new TemporaryFolder();
        var data = Path.Combine(folder.Path, "train.jsonl");
        await File.WriteAllTextAsync(data, "{\"text\":\"a\"}\n", Token);
        var tries = 0;
        using var gateway = new StubGateway(
            (_, path) =>
                path == "/v1/files" ? Json(StoredFile)
                : ++tries == 1 ? (503, "application/json", Error("pool_unavailable", "No leader."))
                : Json(Job("queued"))
        );

        var ending = await CommandProcess.RunAsync("finetune", "create", data, "--model", "m", "--url", gateway.Url);

        Assert.True(ending.ExitCode == 0, ending.Error);
        Assert.Equal("ftjob-1 is queued. Follow it: ./fleet finetune follow ftjob-1", ending.Output.Trim());
        Assert.Equal(
            ["/v1/files", "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs"],
            gateway.Requests.Select(request => request.Path)
        );
        Assert.NotNull(gateway.Requests[1].Key);
        Assert.Equal(gateway.Requests[1].Key, gateway.Requests[2].Key);
    }

    [Fact]
    public async Task A_refused_job_leaves_no_file_and_says_which_line_is_wrong()
    {
        using var folder = new TemporaryFolder();
        var data = Path.Combine(folder.Path, "train.jsonl");
        await File.WriteAllTextAsync(data, "nonsense\n", Token);
        using var gateway = new StubGateway(
            (method, path) =>
                method == "DELETE" ? Json("""{"id":"file-1","object":"file","deleted":true}""")
                : path == "/v1/files" ? Json(StoredFile)
                : (400, "application/json", Error("malformed_json", "Line 1 is no JSON."))
        );

        var ending = await CommandProcess.RunAsync("finetune", "create", data, "--model", "m", "--url", gateway.Url);

        Assert.Equal((1, "Line 1 is no JSON."), (ending.ExitCode, ending.Error.Trim()));
        Assert.Equal(("DELETE", "/v1/files/file-1"), (gateway.Requests[^1].Method, gateway.Requests[^1].Path));
    }

    [Fact]
    public async Task Follow_tells_the_story_once_and_ends_as_the_job_does()
    {
        var looks = 0;
        using var gateway = new StubGateway(
            (_, path) =>
                path.EndsWith("/events", StringComparison.Ordinal) ? Json(Events(looks))
                : path.EndsWith("/checkpoints", StringComparison.Ordinal) ? Json(List(""))
                : Json(Job(++looks == 1 ? "running" : "failed"))
        );

        var ending = await CommandProcess.RunAsync("finetune", "follow", "ftjob-1", "--url", gateway.Url);

        Assert.Equal(1, ending.ExitCode);
        Assert.Single(Lines(ending.Output), line => line.EndsWith("Runs on mini/cpu0", StringComparison.Ordinal));
        Assert.Contains("warn: mini/cpu0 stopped", ending.Output, StringComparison.Ordinal);
        Assert.Contains("step 3/10  loss 2.5000  1,200 tokens/s", ending.Output, StringComparison.Ordinal);
        Assert.Contains("The loss is no number. (not_finite)", ending.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Step 3/10", ending.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Follow_as_json_is_events_and_at_last_the_job_one_a_line()
    {
        using var gateway = new StubGateway(
            (_, path) =>
                path.EndsWith("/events", StringComparison.Ordinal) ? Json(Events(1))
                : path.EndsWith("/checkpoints", StringComparison.Ordinal) ? Json(List(""))
                : Json(Job("succeeded"))
        );

        var ending = await CommandProcess.RunAsync("finetune", "follow", "ftjob-1", "--json", "--url", gateway.Url);

        Assert.Equal(0, ending.ExitCode);
        Assert.Equal(
            ["fine_tuning.job.event", "fine_tuning.job.event", "fine_tuning.job"],
            Lines(ending.Output).Select(line => (string?)JsonNode.Parse(line)!["object"])
        );
    }

    [Fact]
    public async Task Ls_and_show_print_state_figures_and_the_model()
    {
        using var gateway = new StubGateway(
            (_, path) =>
                path.EndsWith("/checkpoints", StringComparison.Ordinal)
                    ? Json(
                        List(
                            """
                            {"id":"ftckpt_1","object":"fine_tuning.job.checkpoint","created_at":9,
                             "fine_tuned_model_checkpoint":"ft:m:default:x:1:ckpt-step-3","fine_tuning_job_id":"ftjob-1",
                             "metrics":{"step":3,"train_loss":2.5,"valid_loss":null},"step_number":3}
                            """
                        )
                    )
                : path.EndsWith("/jobs", StringComparison.Ordinal) ? Json(List(Job("succeeded")))
                : Json(Job("succeeded"))
        );

        var list = await CommandProcess.RunAsync("finetune", "ls", "--url", gateway.Url);
        var show = await CommandProcess.RunAsync("finetune", "show", "ftjob-1", "--url", gateway.Url);

        Assert.Matches(@"ftjob-1 +succeeded +m +lora +3/10 +2\.5000 +- .*ft:m:default:x:1", list.Output);
        Assert.Contains("n_epochs: For data of about 3 rows.", show.Output, StringComparison.Ordinal);
        Assert.Matches(@"ftckpt_1 +3 +2\.5000 +- .*ft:m:default:x:1:ckpt-step-3", show.Output);
    }

    [Theory]
    [InlineData("cancel")]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task A_verb_that_the_state_does_not_allow_fails_with_the_reason(string verb)
    {
        using var gateway = new StubGateway(
            (_, _) => (400, "application/json", Error("invalid_job_state", "The job is failed."))
        );

        var ending = await CommandProcess.RunAsync("finetune", verb, "ftjob-1", "--url", gateway.Url);

        Assert.Equal((1, "The job is failed."), (ending.ExitCode, ending.Error.Trim()));
        Assert.Equal($"/v1/fine_tuning/jobs/ftjob-1/{verb}", Assert.Single(gateway.Requests).Path);
    }

    [Theory]
    [InlineData(2, "create", "x.jsonl")]
    [InlineData(2, "create", "x.jsonl", "--model", "m", "--epochs", "0")]
    [InlineData(2, "create", "x.jsonl", "--model", "m", "--method", "full", "--lora-rank", "8")]
    [InlineData(2, "create", "x.jsonl", "--model", "m", "--metadata", "novalue")]
    [InlineData(2, "create", "x.jsonl", "--model", "m", "--metadata", "a=1", "--metadata", "a=2")]
    [InlineData(2, "pause")]
    [InlineData(3, "create", "no-such.jsonl", "--model", "m")]
    public async Task Wrong_usage_is_said_before_anything_is_sent(int code, params string[] arguments)
    {
        using var gateway = new StubGateway((_, _) => (500, "text/plain", ""));

        var ending = await CommandProcess.RunAsync(["finetune", .. arguments, "--url", gateway.Url]);

        Assert.Equal(code, ending.ExitCode);
        Assert.Empty(gateway.Requests);
    }

    private static string[] Lines(string output) => output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static (int Status, string Type, string Body) Json(string body) => (200, "application/json", body);

    private static string Error(string code, string message) =>
        JsonSerializer.Serialize(
            new
            {
                error = new
                {
                    message,
                    type = "invalid_request_error",
                    param = "x",
                    code,
                },
            }
        );

    private static string List(string data) =>
        $$"""{"object":"list","data":[{{data}}],"first_id":null,"last_id":null,"has_more":false}""";

    private static string Events(int look) =>
        look > 1
            ? List(Event("ftevent-l2", "warn", "message", "mini/cpu0 stopped"))
            : List(
                Event("ftevent-l1", "info", "message", "Runs on mini/cpu0")
                    + ","
                    + Event("ftevent-n1", "info", "metrics", "Step 3/10: training loss=2.5000")
            );

    private static string Event(string id, string level, string type, string message) =>
        $$"""
            {"id":"{{id}}","object":"fine_tuning.job.event","created_at":5,"level":"{{level}}","message":"{{message}}",
             "type":"{{type}}","data":null}
            """;

    private static string Job(string status) =>
        $$"""
            {"id":"ftjob-1","object":"fine_tuning.job","created_at":1,"finished_at":null,"estimated_finish":null,
             "error":{{(
                status == "failed"
                    ? """{"code":"not_finite","message":"The loss is no number.","param":null}"""
                    : "null"
            )}},
             "fine_tuned_model":{{(status == "succeeded" ? "\"ft:m:default:x:1\"" : "null")}},
             "hyperparameters":{"n_epochs":3,"batch_size":1,"learning_rate_multiplier":1},"model":"m",
             "organization_id":"default","result_files":[],"status":"{{status}}","trained_tokens":null,
             "training_file":"file-1","validation_file":null,"integrations":[],"seed":7,
             "method":{"type":"supervised","supervised":{"hyperparameters":
               {"n_epochs":3,"batch_size":1,"learning_rate_multiplier":1} } },
             "metadata":null,"user_provided_suffix":null,
             "egpufleet":{"job":"job_1","phase":"{{status}}","reason":null,"method":"lora","rank":16,"alpha":32,"targets":[],
               "row_tokens":128,"learning_rate":0.001,"max_steps":0,"engine":null,"require":null,"prefer":null,
               "start_from":null,"priority":0,"result":"ft:m:default:x:1","step":3,"total_steps":10,
               "metrics":{"train_loss":2.5,"tokens_per_second":1200},"chosen":{"n_epochs":"For data of about 3 rows."} } }
            """;
}
