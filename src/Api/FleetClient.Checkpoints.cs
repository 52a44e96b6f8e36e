namespace EgpuFleet.Api;

/// <summary>Saved training states.</summary>
public sealed partial class FleetClient
{
    public Task<Page<CheckpointInfo>> ListCheckpointsAsync(
        string? job,
        string? after,
        int limit,
        CancellationToken cancellationToken
    )
    {
        var query = PageOf(after, limit);
        if (job is not null)
            query += $"&job={Uri.EscapeDataString(job)}";
        return GetAsync<Page<CheckpointInfo>>(Routes.Checkpoints + query, cancellationToken);
    }

    public Task<CheckpointInfo> GetCheckpointAsync(string id, CancellationToken cancellationToken) =>
        GetAsync<CheckpointInfo>(Routes.Checkpoint(id), cancellationToken);

    /// <summary>Writes a checkpoint as a file of safetensors.</summary>
    /// <exception cref="HttpRequestException">It breaks off: the gateway found a damaged chunk, or went away.</exception>
    public async Task ExportCheckpointAsync(string id, Stream destination, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(
            new Uri(Routes.CheckpointContent(id), UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );
        await ThrowOnErrorAsync(response, cancellationToken);
        await response.Content.CopyToAsync(destination, cancellationToken);
    }

    public Task<CheckpointVerdictInfo> VerifyCheckpointAsync(string id, CancellationToken cancellationToken) =>
        PostAsync<CheckpointVerdictInfo>(Routes.CheckpointVerify(id), null, cancellationToken);

    /// <summary>Registers what a run had learnt at a checkpoint as a model.</summary>
    public Task<ModelInfo> ServeCheckpointAsync(string id, CancellationToken cancellationToken) =>
        PostAsync<ModelInfo>(Routes.CheckpointServe(id), null, cancellationToken);

    /// <summary>Streams a file of <see cref="CheckpointExports"/> into another stream.</summary>
    public async Task ExportCheckpointAsync(
        string id,
        string format,
        string file,
        Stream destination,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(destination);
        using var request = new HttpRequestMessage(HttpMethod.Get, Routes.CheckpointExport(id, format, file));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ThrowOnErrorAsync(response, cancellationToken);
        await response.Content.CopyToAsync(destination, cancellationToken);
    }

    public Task<CheckpointCollectionInfo> CollectCheckpointsAsync(CancellationToken cancellationToken) =>
        PostAsync<CheckpointCollectionInfo>(Routes.CheckpointsCollect, null, cancellationToken);
}
