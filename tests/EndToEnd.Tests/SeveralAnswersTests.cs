using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>Several answers to one request, over HTTP: the .NET SDK asks for one only, others ask for more.</summary>
public sealed class SeveralAnswersTests(SharedFleet shared)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Answers_to_one_prompt_differ_by_their_seeds_and_share_it()
    {
        var three = await ChatAsync(n: 3, seed: 5);
        var one = await ChatAsync(n: 1, seed: 5);

        var choices = three["choices"]!.AsArray();
        Assert.Equal([0, 1, 2], choices.Select(choice => (int)choice!["index"]!));
        var texts = choices.Select(choice => (string)choice!["message"]!["content"]!).ToArray();
        Assert.Equal(3, texts.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal((int)one["usage"]!["prompt_tokens"]!, (int)three["usage"]!["prompt_tokens"]!);
        Assert.Equal(
            (int)three["usage"]!["prompt_tokens"]! + (int)three["usage"]!["completion_tokens"]!,
            (int)three["usage"]!["total_tokens"]!
        );
    }

    /// <summary>Not by their texts: where two tokens are nearly as likely, what else is in the batch decides between them.</summary>
    [Fact]
    public async Task Each_of_several_prompts_is_continued_whole_and_streamed()
    {
        string[] prompts = ["A GPU", "The fleet of many Macs", "A"];
        var together = await CompleteAsync(Array.ConvertAll(prompts, text => (JsonNode)text));

        var choices = together["choices"]!.AsArray();
        Assert.Equal([0, 1, 2], choices.Select(choice => (int)choice!["index"]!));
        Assert.DoesNotContain("", choices.Select(choice => (string)choice!["text"]!));
        var promptTokens = 0;
        foreach (var prompt in prompts)
            promptTokens += (int)(await CompleteAsync(prompt))["usage"]!["prompt_tokens"]!;
        Assert.Equal(promptTokens, (int)together["usage"]!["prompt_tokens"]!);
        Assert.DoesNotContain("", await StreamAsync(prompts));
    }

    private async Task<string[]> StreamAsync(string[] prompts)
    {
        var body = Completion(new JsonArray([.. prompts.Select(text => (JsonNode)text)]));
        body["stream"] = true;
        using var response = await shared.Fleet.Http.PostAsJsonAsync("/v1/completions", body, Token);
        var texts = Array.ConvertAll(prompts, _ => new StringBuilder());
        foreach (var line in (await response.Content.ReadAsStringAsync(Token)).Split("\n\n"))
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal))
                continue;
            var choice = JsonNode.Parse(line["data: ".Length..])!["choices"]![0]!;
            texts[(int)choice["index"]!].Append((string)choice["text"]!);
        }
        return Array.ConvertAll(texts, text => text.ToString());
    }

    private Task<JsonNode> CompleteAsync(params JsonNode[] prompts) =>
        PostAsync("/v1/completions", Completion(prompts is [var one] ? one : new JsonArray([.. prompts])));

    private Task<JsonNode> ChatAsync(int n, int seed) =>
        PostAsync(
            "/v1/chat/completions",
            new JsonObject
            {
                ["model"] = SharedFleet.SampleModel,
                ["max_tokens"] = 16,
                ["temperature"] = 2,
                ["n"] = n,
                ["seed"] = seed,
                ["messages"] = JsonNode.Parse("""[{"role":"user","content":"What is a GPU?"}]"""),
            }
        );

    private static JsonObject Completion(JsonNode prompt) =>
        new()
        {
            ["model"] = SharedFleet.SampleModel,
            ["temperature"] = 0,
            ["prompt"] = prompt,
        };

    private async Task<JsonNode> PostAsync(string path, JsonObject body)
    {
        using var response = await shared.Fleet.Http.PostAsJsonAsync(path, body, Token);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<JsonNode>(Token))!;
    }
}
