using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using EgpuFleet.Api;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Makes submit requests, well-formed and otherwise.</summary>
internal static class Submissions
{
    public static JobRequest Batch(params BatchLine[] items) =>
        new("batch", RunningSilo.Model, new GenerationOptions(MaxTokens: 4), Items: items);

    public static HttpRequestMessage Json(string body, string? key = null) =>
        Post(new StringContent(body, Encoding.UTF8, "application/json"), key);

    public static HttpRequestMessage Json(JobRequest job, string? key = null) =>
        Json(JsonSerializer.Serialize(job, ApiJson.Options), key);

    public static HttpRequestMessage Form(string lines, string? key = null, JobRequest? job = null) =>
        Form(new ByteArrayContent(Encoding.UTF8.GetBytes(lines)), key, job);

    public static HttpRequestMessage Form(HttpContent input, string? key = null, JobRequest? job = null)
    {
        var form = new MultipartFormDataContent();
        var described = JsonSerializer.Serialize(job ?? new JobRequest("batch", RunningSilo.Model), ApiJson.Options);
        form.Add(new StringContent(described, Encoding.UTF8, "application/json"), "job");
        input.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        form.Add(input, "input", "input.jsonl");
        return Post(form, key);
    }

    private static HttpRequestMessage Post(HttpContent content, string? key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Routes.Jobs) { Content = content };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return request;
    }
}
