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
    private readonly FineTuningCalls calls = new(silo);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_has_the_official_fields_and_what_was_left_open_is_chosen_with_a_reason()
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        var answer = await calls.CreateAsync(
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
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(
                (string)(await calls.CreateAsync(FineTuningCalls.Body(file, ""","metadata":{"listed":"yes"}""")))["id"]!
            );
        var all = await calls.GetAsync("?metadata[listed]=yes");
        Assert.Equal(ids.AsEnumerable().Reverse(), all["data"]!.AsArray().Select(one => (string)one!["id"]!));
        Assert.False((bool)all["has_more"]!);
        Assert.Empty((await calls.GetAsync("?metadata[listed]=no"))["data"]!.AsArray());
        var first = await calls.GetAsync("?metadata[listed]=yes&limit=2");
        Assert.True((bool)first["has_more"]!);
        var second = await calls.GetAsync($"?metadata[listed]=yes&limit=2&after={first["last_id"]}");
        Assert.Equal(ids[0], (string?)Assert.Single(second["data"]!.AsArray())!["id"]);

        var events = await calls.GetAsync($"/{ids[0]}/events");
        var line = Assert.Single(events["data"]!.AsArray())!;
        Assert.Equal(
            ("fine_tuning.job.event", "info", "message"),
            ((string?)line["object"], (string?)line["level"], (string?)line["type"])
        );
        Assert.Equal($"Created fine-tuning job: {ids[0]}", (string?)line["message"]);
        Assert.Empty((await calls.GetAsync($"/{ids[0]}/events?after={line["id"]}"))["data"]!.AsArray());
        Assert.Empty((await calls.GetAsync($"/{ids[0]}/checkpoints"))["data"]!.AsArray());
    }

    [Fact]
    public async Task One_that_waits_is_paused_resumed_and_cancelled_once()
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        var id = (string)(await calls.CreateAsync(FineTuningCalls.Body(file)))["id"]!;
        Assert.Equal("held", await calls.SteerAsync(id, "pause"));
        Assert.Equal("held", await calls.SteerAsync(id, "pause"));
        Assert.Equal("queued", await calls.SteerAsync(id, "resume"));
        Assert.Equal("cancelled", await calls.SteerAsync(id, "cancel"));
        Assert.Equal("cancelled", await calls.SteerAsync(id, "cancel"));
        using var late = await silo.Http.PostAsync($"{Routes.FineTuningVerb(id, "resume")}", null, Token);
        Assert.Equal("invalid_job_state", (string?)(await late.EnvelopeAsync(HttpStatusCode.BadRequest))["code"]);
        var job = await calls.GetAsync($"/{id}");
        Assert.Equal("cancelled", (string?)job["status"]);
        Assert.NotNull(job["finished_at"]);
    }

    [Fact]
    public async Task A_key_makes_one_job_and_a_file_in_use_stays()
    {
        var file = await calls.UploadAsync(FineTuningCalls.Lines);
        var (first, again) = (
            await KeyedAsync(FineTuningCalls.Body(file)),
            await KeyedAsync(FineTuningCalls.Body(file))
        );
        var id = (string)(await FineTuningCalls.ReadAsync(first))["id"]!;
        Assert.Equal(id, (string?)(await FineTuningCalls.ReadAsync(again))["id"]);
        Assert.Equal("true", Assert.Single(again.Headers.GetValues("Idempotency-Replayed")));
        using var other = await KeyedAsync(FineTuningCalls.Body(file, ""","seed":1"""));
        await other.EnvelopeAsync(HttpStatusCode.UnprocessableEntity);
        using var refused = await silo.Http.DeleteAsync(Routes.File(file), Token);
        Assert.Equal("file_in_use", (string?)(await refused.EnvelopeAsync(HttpStatusCode.Conflict))["code"]);
        await calls.SteerAsync(id, "cancel");
        using var gone = await silo.Http.DeleteAsync(Routes.File(file), Token);
        Assert.Equal(HttpStatusCode.OK, gone.StatusCode);

        async Task<HttpResponseMessage> KeyedAsync(string body)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Routes.FineTuning)
            {
                Content = FineTuningCalls.Json(body),
            };
            request.Headers.Add("Idempotency-Key", $"ft-{file}");
            return await silo.Http.SendAsync(request, Token);
        }
    }
}
