using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>
/// The model files of this node by content hash. A file that is missing comes from the gateway, once however many ask, into
/// a partial file that gets its name only when hash and format are right. An adapter comes with its base.
/// </summary>
internal sealed partial class ModelCache : IDisposable
{
    private readonly IHttpClientFactory clients;
    private readonly ModelShelf shelf;
    private readonly ILogger<ModelCache> log;
    private readonly ResiliencePipeline retries;
    private readonly CancellationTokenSource closing = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, Task<CachedModel>> models = new(StringComparer.Ordinal);

    public ModelCache(IHttpClientFactory clients, ModelShelf shelf, TimeProvider time, ILogger<ModelCache> log)
    {
        this.clients = clients;
        this.shelf = shelf;
        this.log = log;
        retries = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder()
                        .Handle<IOException>()
                        .Handle<HttpRequestException>()
                        .Handle<TimeoutRejectedException>(),
                    MaxRetryAttempts = Limits.DownloadAttempts - 1,
                    Delay = TimeSpan.FromMilliseconds(200),
                    BackoffType = DelayBackoffType.Exponential,
                    OnRetry = retry =>
                    {
                        LogRetry(retry.AttemptNumber + 1, retry.Outcome.Exception?.Message);
                        return default;
                    },
                }
            )
            .Build();
    }

    /// <summary>The file of a model, fetched first where it is missing. A caller that leaves does not end the download.</summary>
    /// <exception cref="Grains.Interfaces.Serving.GenerationException">It cannot be had, or is no model.</exception>
    public async Task<CachedModel> GetAsync(ModelRef model, CancellationToken cancellationToken)
    {
        if (!IsWellFormed(model) || (model.Base is { } known && (known.Base is not null || !IsWellFormed(known))))
            throw ModelFailures.Invalid(model, "its hash or size is malformed.");
        Task<CachedModel> task;
        lock (gate)
        {
            if (!models.TryGetValue(model.Sha256, out task!) || task.IsFaulted || task.IsCanceled)
                models[model.Sha256] = task = Task.Run(() => BringAsync(model), CancellationToken.None);
        }
        var cached = await task.WaitAsync(cancellationToken);
        if (cached.IsHere)
        {
            shelf.Touch(cached.Path);
            if (cached.Adapter is { } adapter)
                shelf.Touch(adapter.Path);
            return cached;
        }
        // Removed to make room, or by somebody's hand: fetched again.
        lock (gate)
        {
            if (models.GetValueOrDefault(model.Sha256) == task)
                models.Remove(model.Sha256);
        }
        return await GetAsync(model, cancellationToken);
    }

    public void Dispose()
    {
        closing.Cancel();
        closing.Dispose();
    }

    private async Task<CachedModel> BringAsync(ModelRef model)
    {
        // First, so that room made for the adapter is not the base's.
        var known = model.Base is null ? null : await GetAsync(model.Base, closing.Token);
        var path = shelf.PathOf(model.Sha256);
        if (!File.Exists(path) || new FileInfo(path).Length != model.SizeBytes)
        {
            var partial = shelf.PartialOf(model.Sha256);
            shelf.MakeRoom(model);
            LogFetching(model.Name, model.Sha256, model.SizeBytes);
            await FetchAsync(model, partial);
            _ = Open(model, known, partial);
            File.Move(partial, path, overwrite: true);
            LogFetched(model.Name, model.Sha256);
        }
        return Open(model, known, path);
    }

    private static bool IsWellFormed(ModelRef model) =>
        model.Sha256.Length == 64 && model.Sha256.All(char.IsAsciiHexDigitLower) && model.SizeBytes > 0;

    /// <param name="known">The base of an adapter.</param>
    private static CachedModel Open(ModelRef model, CachedModel? known, string path)
    {
        try
        {
            return known?.With(path, model.Sha256) ?? CachedModel.Open(path, model.Sha256);
        }
        catch (Exception e) when (e is GgufException or AdapterException)
        {
            File.Delete(path);
            throw ModelFailures.Invalid(model, e.Message);
        }
    }

    private async Task FetchAsync(ModelRef model, string partial)
    {
        try
        {
            await retries.ExecuteAsync(
                async token =>
                {
                    using var client = clients.CreateClient(GatewayHttp.Downloads);
                    var route = $"{InternalRoutes.Models}/{model.Sha256}";
                    await new ModelDownload(client, model, partial, route).RunAsync(token);
                },
                closing.Token
            );
        }
        catch (Exception e) when (e is IOException or HttpRequestException or TimeoutRejectedException)
        {
            throw ModelFailures.Unreachable(model, e.Message);
        }
    }
}
