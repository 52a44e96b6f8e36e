using System.Text;
using System.Text.Json.Nodes;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Calls about fine-tuning, their answers as they are on the wire.</summary>
internal sealed class FineTuningCalls(RunningSilo silo)
{
    public const string Lines = """
        {"text":"To be, or not to be"}
        {"text":"that is the question"}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static string Body(string file, string more = "") =>
        $$"""{"model":"{{RunningSilo.Model}}","training_file":"{{file}}"{{more}}}""";

    public static StringContent Json(string body) => new(body, Encoding.UTF8, "application/json");

    public async Task<string> UploadAsync(string lines)
    {
        await using var content = new MemoryStream(Encoding.UTF8.GetBytes(lines));
        return (await silo.Client.UploadFileAsync(content, "train.jsonl", "fine-tune", Token)).Id;
    }

    public async Task<JsonObject> CreateAsync(string body)
    {
        using var response = await silo.Http.PostAsync(Routes.FineTuning, Json(body), Token);
        return await ReadAsync(response);
    }

    public async Task<JsonObject> GetAsync(string path) =>
        await ReadAsync(await silo.Http.GetAsync(Routes.FineTuning + path, Token));

    public async Task<string?> SteerAsync(string id, string verb)
    {
        using var response = await silo.Http.PostAsync(Routes.FineTuningVerb(id, verb), null, Token);
        return (string?)(await ReadAsync(response))["egpufleet"]!["phase"];
    }

    public static async Task<JsonObject> ReadAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(Token);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!.AsObject();
    }
}
