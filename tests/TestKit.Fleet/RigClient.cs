using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>What one call to a gateway came to.</summary>
/// <param name="Status">0 when nobody answered.</param>
public sealed record RigAnswer(CallOutcome Outcome, int Status, JsonElement Body)
{
    /// <summary>A text field of the answer.</summary>
    public string? Text(string field) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(field, out var value) ? value.GetString() : null;
}

/// <summary>
/// The public API of one gateway, as a careful client uses it: every call is bounded, and one that got no answer, or an
/// answer that leaves open what happened, is indeterminate.
/// </summary>
public sealed class RigClient : IDisposable
{
    private readonly HttpClient http;

    /// <param name="timeout">Of each call.</param>
    public RigClient(Uri gateway, TimeSpan timeout) =>
        http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(1) })
        {
            BaseAddress = gateway,
            Timeout = timeout,
        };

    public Task<RigAnswer> SubmitAsync(JsonObject job, string? key, CancellationToken cancellationToken) =>
        PostAsync("/api/v1/jobs", JsonContent.Create(job), key, cancellationToken);

    /// <param name="verb">cancel, hold, release, pause, resume.</param>
    public Task<RigAnswer> ChangeAsync(string job, string verb, CancellationToken cancellationToken) =>
        PostAsync($"/api/v1/jobs/{job}/{verb}", content: null, key: null, cancellationToken);

    public async Task<RigAnswer> PostAsync(
        string path,
        HttpContent? content,
        string? key,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = content,
        };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await SendAsync(request, cancellationToken);
    }

    public async Task<RigAnswer> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        return await SendAsync(request, cancellationToken);
    }

    /// <summary>Submits many jobs in one call. One outcome a line, by its number; lines without one got no answer.</summary>
    public async Task<IReadOnlyDictionary<int, RigAnswer>> SubmitBulkAsync(
        IEnumerable<JsonObject> jobs,
        string key,
        CancellationToken cancellationToken
    )
    {
        var lines = string.Join('\n', jobs.Select(job => job.ToJsonString()));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/jobs:bulk", UriKind.Relative))
        {
            Content = new StringContent(lines, Encoding.UTF8, "application/x-ndjson"),
        };
        request.Headers.Add("Idempotency-Key", key);
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse).ToDictionary(LineOf, OutcomeOf)
                : new Dictionary<int, RigAnswer>();
        }
        catch (Exception e) when (IsNoAnswer(e, cancellationToken))
        {
            return new Dictionary<int, RigAnswer>();
        }
    }

    /// <summary>The lines of an NDJSON answer; null when it did not come whole.</summary>
    public async Task<IReadOnlyList<JsonElement>?> LinesAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var text = await http.GetStringAsync(new Uri(path, UriKind.Relative), cancellationToken);
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
        }
        catch (Exception e) when (IsNoAnswer(e, cancellationToken))
        {
            return null;
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<RigAnswer> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return new RigAnswer(OutcomeOf(response.StatusCode), (int)response.StatusCode, Parse(text));
        }
        catch (Exception e) when (IsNoAnswer(e, cancellationToken))
        {
            return new RigAnswer(CallOutcome.Indeterminate, 0, default);
        }
    }

    // An idempotency key in flight (409) is somebody's submit whose end is not known.
    private static CallOutcome OutcomeOf(HttpStatusCode status) =>
        status switch
        {
            >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices => CallOutcome.Acknowledged,
            HttpStatusCode.Conflict or HttpStatusCode.RequestTimeout => CallOutcome.Indeterminate,
            >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError => CallOutcome.Refused,
            _ => CallOutcome.Indeterminate,
        };

    private static int LineOf(JsonElement line) => line.GetProperty("line").GetInt32();

    private static RigAnswer OutcomeOf(JsonElement line)
    {
        var status = line.GetProperty("status").GetInt32();
        return new RigAnswer(OutcomeOf((HttpStatusCode)status), status, line);
    }

    private static bool IsNoAnswer(Exception exception, CancellationToken cancellationToken) =>
        !cancellationToken.IsCancellationRequested
        && exception is HttpRequestException or OperationCanceledException or IOException or JsonException;

    private static JsonElement Parse(string text)
    {
        if (text.Length == 0)
            return default;
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
