using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace EgpuFleet.Api;

/// <summary>
/// The public API as typed calls, used by the command line and the dashboard. Every call throws
/// <see cref="FleetApiException"/> on an error answer and <see cref="HttpRequestException"/> when nobody answers.
/// </summary>
/// <param name="http">A client whose base address is the gateway.</param>
public sealed partial class FleetClient(HttpClient http)
{
    public Task<JobInfo> SubmitAsync(JobRequest job, string? idempotencyKey, CancellationToken cancellationToken) =>
        PostJobAsync(JsonContent.Create(job, options: ApiJson.Options), idempotencyKey, cancellationToken);

    /// <summary>Submits a batch whose prompts are a JSONL stream; the stream is sent as it is read.</summary>
    public async Task<JobInfo> SubmitAsync(
        JobRequest job,
        Stream input,
        string? idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        using var form = new MultipartFormDataContent();
        form.Add(
            new StringContent(JsonSerializer.Serialize(job, ApiJson.Options), Encoding.UTF8, "application/json"),
            "job"
        );
        var file = new StreamContent(input);
        file.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        form.Add(file, "input", "input.jsonl");
        return await PostJobAsync(form, idempotencyKey, cancellationToken);
    }

    public Task<JobInfo> GetJobAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<JobInfo>(Routes.Job(id), cancellationToken);

    public Task<Page<JobInfo>> ListJobsAsync(
        string? state,
        string? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var query = $"?limit={limit}";
        if (state is not null)
            query += $"&state={Uri.EscapeDataString(state)}";
        if (after is not null)
            query += $"&after={Uri.EscapeDataString(after)}";
        return GetAsync<Page<JobInfo>>(Routes.Jobs + query, cancellationToken);
    }

    public Task<JobInfo> CancelJobAsync(string id, CancellationToken cancellationToken) =>
        SteerJobAsync(id, "cancel", cancellationToken);

    /// <param name="verb">cancel, hold, release, pause or resume.</param>
    public Task<JobInfo> SteerJobAsync(string id, string verb, CancellationToken cancellationToken) =>
        PostAsync<JobInfo>(Routes.JobVerb(id, verb), null, cancellationToken);

    /// <summary>What keeps a job from running.</summary>
    public Task<WhyInfo> WhyAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<WhyInfo>(Routes.JobWhy(id), cancellationToken);

    /// <summary>
    /// Submits many jobs, one a line, and returns what became of each as it is known. Without an idempotency key a call that
    /// breaks off must not be repeated.
    /// </summary>
    public async IAsyncEnumerable<BulkOutcome> SubmitBulkAsync(
        Stream lines,
        string? idempotencyKey,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Routes.JobsBulk, UriKind.Relative))
        {
            Content = new StreamContent(lines),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ThrowOnErrorAsync(response, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
                yield return Parse<BulkOutcome>(line);
        }
    }

    /// <summary>A page of the job's log as it is now; at most 100 lines.</summary>
    public async Task<Page<JobEventInfo>> ListJobEventsAsync(
        string id,
        long afterSequence,
        CancellationToken cancellationToken
    )
    {
        var path = $"{Routes.JobEvents(id)}?limit=100&after={afterSequence}";
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await http.SendAsync(request, cancellationToken);
        return await ReadAsync<Page<JobEventInfo>>(response, cancellationToken);
    }

    /// <summary>
    /// The job's server-sent events: first <c>snapshot</c> (a <see cref="JobInfo"/>), then <c>event</c>
    /// (a <see cref="JobEventInfo"/>) and <c>progress</c> (a <see cref="JobInfo"/>) until the job is terminal.
    /// </summary>
    public async IAsyncEnumerable<JobUpdate> WatchJobAsync(
        string id,
        long? lastEventId,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Routes.JobEvents(id), UriKind.Relative));
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is { } last)
            request.Headers.Add("Last-Event-ID", last.ToString());
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ThrowOnErrorAsync(response, cancellationToken);
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancellationToken))
        {
            if (item.EventType is "snapshot" or "progress")
                yield return new JobUpdate(Parse<JobInfo>(item.Data), null);
            else if (item.EventType == "event")
                yield return new JobUpdate(null, Parse<JobEventInfo>(item.Data));
        }
    }

    /// <summary>The results as they are streamed, by item index.</summary>
    public async IAsyncEnumerable<ResultLine> ReadResultsAsync(
        string id,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var response = await http.GetAsync(
            new Uri(Routes.JobResults(id), UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        await ThrowOnErrorAsync(response, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length > 0)
                yield return Parse<ResultLine>(line);
        }
    }

    public Task<Page<NodeInfo>> ListNodesAsync(CancellationToken cancellationToken) =>
        GetAsync<Page<NodeInfo>>(Routes.Nodes, cancellationToken);

    /// <summary>Examines a node now; takes seconds.</summary>
    public Task<DoctorInfo> ExamineNodeAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<DoctorInfo>(Routes.NodeDoctor(id), cancellationToken);

    public Task<Page<DeviceInfo>> ListDevicesAsync(CancellationToken cancellationToken) =>
        GetAsync<Page<DeviceInfo>>(Routes.Devices, cancellationToken);

    /// <param name="id"><c>node/device</c>.</param>
    public Task<DeviceInfo> GetDeviceAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<DeviceInfo>(Routes.Device(id), cancellationToken);

    /// <param name="id"><c>node/device</c>.</param>
    /// <param name="verb">eject, attach or clear.</param>
    public Task<DeviceInfo> OrderDeviceAsync(string id, string verb, CancellationToken cancellationToken) =>
        PostAsync<DeviceInfo>(Routes.DeviceVerb(id, verb), null, cancellationToken);

    /// <summary>Plays a pulled cable on a device.</summary>
    /// <param name="id"><c>node/device</c>.</param>
    public Task<DeviceInfo> RehearseAsync(string id, RehearsalRequest rehearsal, CancellationToken cancellationToken) =>
        PostAsync<DeviceInfo>(
            Routes.DeviceVerb(id, "rehearse"),
            JsonContent.Create(rehearsal, options: ApiJson.Options),
            cancellationToken
        );

    public Task<Page<TuningInfo>> ListTuningsAsync(CancellationToken cancellationToken) =>
        GetAsync<Page<TuningInfo>>(Routes.Tunings, cancellationToken);

    public Task<Page<ModelInfo>> ListModelsAsync(CancellationToken cancellationToken) =>
        GetAsync<Page<ModelInfo>>(Routes.Models, cancellationToken);

    /// <summary>Registers a GGUF file under a name; the file is streamed, and of a seekable stream the size is said first.</summary>
    public async Task<ModelInfo> AddModelAsync(string name, Stream gguf, CancellationToken cancellationToken)
    {
        using var content = new StreamContent(gguf);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        using var response = await http.PutAsync(
            new Uri(Routes.Model(name), UriKind.Relative),
            content,
            cancellationToken
        );
        return await ReadAsync<ModelInfo>(response, cancellationToken);
    }

    /// <summary>The readiness answer, whether 200 or 503.</summary>
    public async Task<ReadyInfo> GetReadyAsync(CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(Routes.Ready, UriKind.Relative), cancellationToken);
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable))
            await ThrowOnErrorAsync(response, cancellationToken);
        return await response.Content.ReadFromJsonAsync<ReadyInfo>(ApiJson.Options, cancellationToken)
            ?? throw new JsonException("The readiness answer is empty.");
    }

    private Task<JobInfo> PostJobAsync(
        HttpContent content,
        string? idempotencyKey,
        CancellationToken cancellationToken
    ) => PostAsync<JobInfo>(Routes.Jobs, content, idempotencyKey, cancellationToken);

    private async Task<T> GetAsync<T>(string path, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private Task<T> PostAsync<T>(string path, HttpContent? content, CancellationToken cancellationToken) =>
        PostAsync<T>(path, content, null, cancellationToken);

    private async Task<T> PostAsync<T>(
        string path,
        HttpContent? content,
        string? idempotencyKey,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative))
        {
            Content = content,
        };
        if (idempotencyKey is not null)
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        using var response = await http.SendAsync(request, cancellationToken);
        return await ReadAsync<T>(response, cancellationToken);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await ThrowOnErrorAsync(response, cancellationToken);
        return await response.Content.ReadFromJsonAsync<T>(ApiJson.Options, cancellationToken)
            ?? throw new JsonException("The answer is empty.");
    }

    private static T Parse<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, ApiJson.Options) ?? throw new JsonException("The answer is empty.");

    private static async Task ThrowOnErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
            return;
        var problem = response.Content.Headers.ContentType?.MediaType switch
        {
            "application/problem+json" => await response.Content.ReadFromJsonAsync<ProblemInfo>(
                ApiJson.Options,
                cancellationToken
            ),
            "application/json" => await ReadOpenAiErrorAsync(response, cancellationToken),
            _ => null,
        };
        var message = problem?.Detail ?? problem?.Title ?? $"The gateway answered {(int)response.StatusCode}.";
        foreach (var (field, errors) in problem?.Errors ?? new Dictionary<string, string[]>())
            message += $"{Environment.NewLine}  {field}: {string.Join(' ', errors)}";
        throw new FleetApiException(response.StatusCode, message, problem);
    }
}

/// <summary>One step of <see cref="FleetClient.WatchJobAsync"/>: the job as it is now, or a line of its log.</summary>
public sealed record JobUpdate(JobInfo? Job, JobEventInfo? Event);
