using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Sends bulk submits and reads their answers.</summary>
internal static class Bulk
{
    public static string Noop(int i, string rest = "") => $$"""{"kind":"noop","payload":"payload {{i}}"{{rest}}}""";

    public static string Noops(int count) => string.Concat(Enumerable.Range(0, count).Select(i => Noop(i) + "\n"));

    public static HttpRequestMessage Request(string lines, string? key = null) =>
        Request(new ByteArrayContent(Encoding.UTF8.GetBytes(lines)), key);

    public static HttpRequestMessage Request(HttpContent lines, string? key = null)
    {
        lines.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        var request = new HttpRequestMessage(HttpMethod.Post, Routes.JobsBulk) { Content = lines };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return request;
    }

    public static Task<List<BulkOutcome>> SubmitAsync(this RunningSilo silo, string lines, string? key = null) =>
        silo.SubmitAsync(Request(lines, key));

    public static async Task<List<BulkOutcome>> SubmitAsync(this RunningSilo silo, HttpRequestMessage request)
    {
        using (request)
        using (var response = await silo.Http.SendAsync(request, TestContext.Current.CancellationToken))
        {
            var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(response.StatusCode == HttpStatusCode.OK, text);
            Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
            return
            [
                .. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Select(line => JsonSerializer.Deserialize<BulkOutcome>(line, ApiJson.Options)!),
            ];
        }
    }

    /// <summary>The outcome as a person would say it: its id is there exactly when it was accepted.</summary>
    public static string Said(BulkOutcome outcome)
    {
        Assert.Equal(outcome.Status == 202, outcome.Id is not null);
        Assert.Equal(outcome.Status == 202, outcome.Error is null);
        return outcome.Error is { } error
            ? $"{outcome.Line}: {outcome.Status} {error.Code} {error.Field}".TrimEnd()
            : $"{outcome.Line}: {outcome.Status}";
    }
}
