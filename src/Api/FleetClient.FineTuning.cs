using System.Net.Http.Json;

namespace EgpuFleet.Api;

/// <summary>Fine-tuning jobs.</summary>
public sealed partial class FleetClient
{
    public Task<FineTuningJobInfo> CreateFineTuningAsync(
        FineTuningRequest job,
        string? idempotencyKey,
        CancellationToken cancellationToken
    ) =>
        PostAsync<FineTuningJobInfo>(
            Routes.FineTuning,
            JsonContent.Create(job, options: ApiJson.Options),
            idempotencyKey,
            cancellationToken
        );

    /// <summary>What the same request would do and need; nothing is made of it.</summary>
    public Task<FineTuningEstimateInfo> EstimateFineTuningAsync(
        FineTuningRequest job,
        CancellationToken cancellationToken
    ) =>
        PostAsync<FineTuningEstimateInfo>(
            Routes.FineTuningEstimate,
            JsonContent.Create(job, options: ApiJson.Options),
            cancellationToken
        );

    public Task<FineTuningJobInfo> GetFineTuningAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<FineTuningJobInfo>(Routes.FineTuningJob(id), cancellationToken);

    /// <summary>Newest first.</summary>
    public Task<Page<FineTuningJobInfo>> ListFineTuningsAsync(
        string? after,
        int limit,
        CancellationToken cancellationToken
    ) => GetAsync<Page<FineTuningJobInfo>>(Routes.FineTuning + PageOf(after, limit), cancellationToken);

    /// <param name="verb">cancel, pause or resume.</param>
    public Task<FineTuningJobInfo> SteerFineTuningAsync(string id, string verb, CancellationToken cancellationToken) =>
        PostAsync<FineTuningJobInfo>(Routes.FineTuningVerb(id, verb), null, cancellationToken);

    /// <summary>What happened and the figures of the steps, oldest first.</summary>
    public Task<Page<FineTuningEventInfo>> ListFineTuningEventsAsync(
        string id,
        string? after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        GetAsync<Page<FineTuningEventInfo>>(
            $"{Routes.FineTuningVerb(id, "events")}{PageOf(after, limit)}&order=asc",
            cancellationToken
        );

    /// <summary>Newest first.</summary>
    public Task<Page<FineTuningCheckpointInfo>> ListFineTuningCheckpointsAsync(
        string id,
        string? after,
        int limit,
        CancellationToken cancellationToken
    ) =>
        GetAsync<Page<FineTuningCheckpointInfo>>(
            Routes.FineTuningVerb(id, "checkpoints") + PageOf(after, limit),
            cancellationToken
        );

    private static string PageOf(string? after, int limit) =>
        after is null ? $"?limit={limit}" : $"?limit={limit}&after={Uri.EscapeDataString(after)}";
}
