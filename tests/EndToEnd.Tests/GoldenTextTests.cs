using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>
/// The reference text of the stories260K model, token for token, through gateway, agent and llama.cpp worker. The model
/// is F32 on a CPU, so the engine runs under the exact profile and batching must not change a token.
/// </summary>
public sealed class GoldenTextTests(SharedFleet shared)
{
    // The published text ends with the 200th token after BOS.
    internal const int Tokens = 200;

    internal const string Golden =
        "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, "
        + "red ball. She wanted to play with it, but it was too high.\n"
        + "Lily's mom said, \"Lily, let's go to the park.\" Lily was sad and didn't know what to do. She said, \"I want to play "
        + "with your ball, but I can't find it.\"\n"
        + "Lily was sad and didn't know what to do. She said, \"I'm sorry, Lily. I didn't know what to do.\"\n"
        + "Lily didn't want to help her mom, so she";

    internal static readonly object Request = new
    {
        model = SharedFleet.ReferenceModel,
        prompt = "",
        max_tokens = Tokens,
        temperature = 0,
    };

    [Fact]
    public async Task A_completion_from_the_beginning_token_alone_is_the_reference_text()
    {
        SharedFleet.SkipWithoutReferenceModel();
        var cancellationToken = TestContext.Current.CancellationToken;

        using var response = await shared.Fleet.Http.PostAsJsonAsync("/v1/completions", Request, cancellationToken);

        response.EnsureSuccessStatusCode();
        var body = (await response.Content.ReadFromJsonAsync<JsonNode>(cancellationToken))!;
        Assert.Equal(Golden, (string?)body["choices"]![0]!["text"]);
        Assert.Equal("length", (string?)body["choices"]![0]!["finish_reason"]);
        Assert.Equal(Tokens, (int?)body["usage"]!["completion_tokens"]);
        var placement = Assert.Single(response.Headers.GetValues("x-egpufleet-placement"));
        Assert.Matches("^\"[a-z0-9-]+/cpu0\";kind=cpu;engine=\"llama.cpp\"", placement);
    }

    [Fact]
    public async Task A_request_says_on_what_kind_of_device_it_may_run_and_hears_where_it_ran()
    {
        SharedFleet.SkipWithoutReferenceModel();
        var preferred = await PostAsync("x-egpufleet-prefer", "egpu");
        var wrong = await PostAsync("x-egpufleet-require", "toaster");

        Assert.Equal(HttpStatusCode.OK, preferred.StatusCode);
        Assert.EndsWith(
            ";fallback=\"none of the kind preferred is in the fleet\"",
            Assert.Single(preferred.Headers.GetValues("x-egpufleet-placement")),
            StringComparison.Ordinal
        );
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        async Task<HttpResponseMessage> PostAsync(string header, string value)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions");
            request.Content = JsonContent.Create(Request);
            request.Headers.Add(header, value);
            return await shared.Fleet.Http.SendAsync(request, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_streamed_completion_is_the_reference_text_in_many_pieces()
    {
        SharedFleet.SkipWithoutReferenceModel();
        var cancellationToken = TestContext.Current.CancellationToken;
        var body = JsonSerializer.SerializeToNode(Request)!.AsObject();
        body["stream"] = true;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(body),
        };

        using var response = await shared.Fleet.Http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );

        response.EnsureSuccessStatusCode();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        var pieces = new List<string>();
        var done = false;
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var frame in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            Assert.False(done, "nothing may follow [DONE]");
            if (frame.Data == "[DONE]")
                done = true;
            else if ((string?)JsonNode.Parse(frame.Data)!["choices"]?[0]?["text"] is { } piece)
                pieces.Add(piece);
        }
        Assert.True(done);
        Assert.Equal(Golden, string.Concat(pieces));
        Assert.True(pieces.Count > Tokens / 2, $"only {pieces.Count} pieces for {Tokens} tokens");
    }

    [Fact]
    public async Task A_batch_sharded_over_both_agents_gives_the_reference_text_for_every_item()
    {
        SharedFleet.SkipWithoutReferenceModel();
        var cancellationToken = TestContext.Current.CancellationToken;
        var items = Enumerable.Range(0, 24).Select(index => new BatchLine($"golden-{index}", Prompt: "")).ToList();
        var request = new JobRequest(
            "batch",
            SharedFleet.ReferenceModel,
            new GenerationOptions(Tokens, Temperature: 0),
            Items: items
        );

        var job = await shared.Fleet.Client.SubmitAsync(request, null, cancellationToken);
        job = await shared.Fleet.WaitForJobAsync(job.Id, cancellationToken);
        var results = await shared.Fleet.ReadResultsAsync(job.Id, cancellationToken);

        Assert.Equal("succeeded", job.State);
        Assert.Equal(items.Select(item => item.CustomId), results.Select(result => result.CustomId));
        Assert.All(results, result => Assert.Equal(Golden, result.Text));
        Assert.Equal(["local-1", "local-2"], results.Select(result => result.Node).Distinct().Order());
    }
}
