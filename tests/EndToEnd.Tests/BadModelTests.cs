using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using EgpuFleet.Api;
using EgpuFleet.TestKit;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>A broken model file is a typed error, and every agent lives on.</summary>
public sealed class BadModelTests(SharedFleet shared)
{
    private static readonly string SamplePath = RepositoryPaths.At("samples", "models", "tiny-fleet.gguf");

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(1_000)]
    [InlineData(1_000_000)]
    public async Task A_truncated_file_is_refused_and_not_registered(int length)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var bytes = (await File.ReadAllBytesAsync(SamplePath, cancellationToken))[..length];

        var error = await Assert.ThrowsAsync<FleetApiException>(() =>
            shared.Fleet.Client.AddModelAsync("truncated", new MemoryStream(bytes), cancellationToken)
        );

        Assert.Equal(HttpStatusCode.UnprocessableEntity, error.Status);
        var models = await shared.Fleet.Client.ListModelsAsync(cancellationToken);
        Assert.DoesNotContain(models.Data, model => model.Name == "truncated");
    }

    [Fact]
    public async Task A_file_that_only_the_engine_can_see_through_is_a_typed_error_and_the_agents_live()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var bytes = await File.ReadAllBytesAsync(SamplePath, cancellationToken);
        // A needed tensor under another name: the container is well-formed, the model is not.
        var name = bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes("output_norm.weight"));
        Assert.True(name > 0);
        bytes[name] = (byte)'X';
        await shared.Fleet.Client.AddModelAsync("impostor", new MemoryStream(bytes), cancellationToken);

        using var response = await shared.Fleet.Http.PostAsJsonAsync(
            "/v1/completions",
            new { model = "impostor", prompt = "Hello" },
            cancellationToken
        );

        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        Assert.True(
            response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity,
            body.ToJsonString()
        );
        Assert.Equal("model_invalid", (string?)body["error"]!["code"]);
        await AssertServesAsync(cancellationToken);
    }

    [Fact]
    public async Task A_prompt_longer_than_the_context_is_a_typed_error_alone_and_in_a_batch()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var prompt = string.Concat(Enumerable.Repeat("once upon a time ", 1_500));

        using var response = await shared.Fleet.Http.PostAsJsonAsync(
            "/v1/completions",
            new { model = SharedFleet.SampleModel, prompt },
            cancellationToken
        );
        var job = await shared.Fleet.Client.SubmitAsync(
            new JobRequest(
                "batch",
                SharedFleet.SampleModel,
                new GenerationOptions(MaxTokens: 4),
                Items: [new BatchLine("too-long", prompt), new BatchLine("fits", "The little fox")]
            ),
            null,
            cancellationToken
        );
        job = await shared.Fleet.WaitForJobAsync(job.Id, cancellationToken);
        var results = await shared.Fleet.ReadResultsAsync(job.Id, cancellationToken);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        Assert.Equal("context_length_exceeded", (string?)body["error"]!["code"]);
        Assert.Equal(new ItemCounts(2, 1, 1), job.Items);
        Assert.Equal("context_length_exceeded", results[0].Error?.Code);
        Assert.NotNull(results[1].Text);
    }

    [Fact]
    public async Task A_chat_with_a_model_without_a_template_is_a_typed_error()
    {
        SharedFleet.SkipWithoutReferenceModel();
        var cancellationToken = TestContext.Current.CancellationToken;

        using var response = await shared.Fleet.Http.PostAsJsonAsync(
            "/v1/chat/completions",
            new { model = SharedFleet.ReferenceModel, messages = new[] { new { role = "user", content = "Hello" } } },
            cancellationToken
        );

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        Assert.Equal("model_has_no_chat_template", (string?)body["error"]!["code"]);
    }

    private async Task AssertServesAsync(CancellationToken cancellationToken)
    {
        var devices = await shared.Fleet.Client.ListDevicesAsync(cancellationToken);
        Assert.Equal(2, devices.Data.Count);
        using var response = await shared.Fleet.Http.PostAsJsonAsync(
            "/v1/completions",
            new
            {
                model = SharedFleet.SampleModel,
                prompt = "The little fox",
                max_tokens = 4,
            },
            cancellationToken
        );
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }
}
