using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Checkpoints;
using EgpuFleet.NodeAgent.Joining;
using Polly.Timeout;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>What a run says to the gateway, beside its checkpoints.</summary>
internal sealed class TrainingGateway(IHttpClientFactory clients, TimeProvider time)
{
    /// <summary>Does something with checkpoints until it was done or refused for good, or the token fires.</summary>
    /// <param name="waits">Told once, why it has to wait.</param>
    /// <exception cref="CheckpointException">The refusal.</exception>
    public Task<T> CheckpointAsync<T>(
        Func<CheckpointClient, Task<T>> work,
        Action<string> waits,
        CancellationToken cancellationToken
    ) => PatientAsync(http => work(new CheckpointClient(http)), waits, cancellationToken);

    /// <summary>The same of rounds.</summary>
    /// <exception cref="CheckpointException">The refusal.</exception>
    public Task<T> RoundAsync<T>(
        Func<RoundClient, Task<T>> work,
        Action<string> waits,
        CancellationToken cancellationToken
    ) => PatientAsync(http => work(new RoundClient(http)), waits, cancellationToken);

    private async Task<T> PatientAsync<T>(
        Func<HttpClient, Task<T>> work,
        Action<string> waits,
        CancellationToken cancellationToken
    )
    {
        using var http = clients.CreateClient(GatewayHttp.Checkpoints);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work(http);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsPassing(e))
            {
                if (attempt == 1)
                    waits(e.Message);
            }
            await Task.Delay(Limits.CheckpointRetry, time, cancellationToken);
        }
    }

    /// <summary>Nobody answers in time, or the store or its disk cannot now.</summary>
    private static bool IsPassing(Exception e) =>
        e is HttpRequestException or IOException or OperationCanceledException
        || e
            is CheckpointException
            {
                Code: "disk_full"
                    or "ledger_unavailable"
                    or "cluster_unavailable"
                    or "gateway_error"
                    or "too_many_waiters"
            };

    /// <summary>Hands notes over; returns when they were taken, or refused for good.</summary>
    public async Task TakeNotesAsync(
        LeaseKey lease,
        IReadOnlyList<TrainingNote> notes,
        CancellationToken cancellationToken
    )
    {
        var body = new TrainingNotes(lease.Shard.Job.ToString(), lease.Shard.Number, lease.Epoch, notes);
        using var response = await PostAsync(
            GatewayHttp.Name,
            InternalRoutes.TrainingNotes,
            body,
            _ => { },
            cancellationToken
        );
    }

    /// <summary>Lets a checkpoint become a model that is served, however often that has to be asked for.</summary>
    /// <param name="waits">Told once, why it has to wait.</param>
    /// <exception cref="GenerationException">It was refused.</exception>
    public async Task<TrainingPublished> PublishAsync(
        LeaseKey lease,
        string checkpoint,
        Action<string> waits,
        CancellationToken cancellationToken
    )
    {
        var body = new TrainingResult(lease.Shard.Job.ToString(), lease.Shard.Number, lease.Epoch, checkpoint);
        using var response = await PostAsync(
            GatewayHttp.Publishing,
            InternalRoutes.TrainingResult,
            body,
            waits,
            cancellationToken
        );
        if (!response.IsSuccessStatusCode)
            throw new GenerationException(
                "result_refused",
                $"The gateway does not serve checkpoint {checkpoint}: {await WordsOfAsync(response, cancellationToken)}",
                retryable: false
            );
        return await response.Content.ReadFromJsonAsync<TrainingPublished>(TrainingJson.Options, cancellationToken)
            ?? throw new GenerationException("result_refused", "The gateway's answer is empty.", retryable: true);
    }

    /// <summary>Asks until there is an answer that is not a passing failure.</summary>
    /// <param name="waits">Told of the first failure.</param>
    private async Task<HttpResponseMessage> PostAsync<T>(
        string name,
        string route,
        T body,
        Action<string> waits,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            string why;
            try
            {
                using var client = clients.CreateClient(name);
                using var content = JsonContent.Create(body, options: TrainingJson.Options);
                var response = await client.PostAsync(route, content, cancellationToken);
                if ((int)response.StatusCode < 500 && response.StatusCode != HttpStatusCode.TooManyRequests)
                    return response;
                using (response)
                    why = await WordsOfAsync(response, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsNoAnswer(e))
            {
                why = e.Message;
            }
            if (attempt == 1)
                waits(why);
            await Task.Delay(Limits.JoinRetryEvery, time, cancellationToken);
        }
    }

    /// <summary>A client whose time is up says so by a cancellation.</summary>
    private static bool IsNoAnswer(Exception e) =>
        e is HttpRequestException or TimeoutRejectedException or OperationCanceledException;

    private static async Task<string> WordsOfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var problem = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            return problem.RootElement.GetProperty("detail").GetString() ?? $"status {(int)response.StatusCode}";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"status {(int)response.StatusCode}";
        }
    }
}
