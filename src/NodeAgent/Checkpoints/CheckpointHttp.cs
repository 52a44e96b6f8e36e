using System.Net.Http.Json;
using System.Text.Json;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>The requests of the data path, and refusals as exceptions.</summary>
/// <param name="root">The routes that are meant.</param>
internal sealed class CheckpointHttp(HttpClient client, string root = InternalRoutes.Checkpoints)
{
    public Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellationToken) =>
        ReadAsync<T>(
            HttpMethod.Post,
            path,
            body is null ? null : JsonContent.Create(body, options: CheckpointJson.Options),
            cancellationToken
        );

    public Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) =>
        ReadAsync<T>(HttpMethod.Get, path, null, cancellationToken);

    public async Task<ChunkHash[]> AnnounceAsync(
        string id,
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    )
    {
        using var body = new ByteArrayContent(ChunkHash.WriteAll(hashes));
        using var response = await SendAsync(HttpMethod.Post, $"/{id}/announce", body, cancellationToken);
        return ChunkHash.ReadAll(await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    public async Task StoreAsync(string id, HttpContent batch, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Put, $"/{id}/chunks", batch, cancellationToken);
    }

    /// <summary>The body is read as it comes.</summary>
    /// <param name="path">Below the root.</param>
    /// <exception cref="CheckpointException">The answer is a refusal.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpContent? content,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, root + path) { Content = content };
        var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
            throw await RefusalAsync(response, cancellationToken);
    }

    private async Task<T> ReadAsync<T>(
        HttpMethod method,
        string path,
        HttpContent? content,
        CancellationToken cancellationToken
    )
    {
        using var response = await SendAsync(method, path, content, cancellationToken);
        return await response.Content.ReadFromJsonAsync<T>(CheckpointJson.Options, cancellationToken)
            ?? throw new JsonException("The answer is empty.");
    }

    private static async Task<CheckpointException> RefusalAsync(
        HttpResponseMessage response,
        CancellationToken cancellationToken
    )
    {
        var status = (int)response.StatusCode;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
            using var problem = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
            var type = problem.RootElement.GetProperty("type").GetString() ?? "";
            return new CheckpointException(
                type[(type.LastIndexOf(':') + 1)..],
                problem.RootElement.GetProperty("detail").GetString() ?? $"The gateway answered {status}."
            );
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return new CheckpointException("gateway_error", $"The gateway answered {status}.");
        }
    }
}
