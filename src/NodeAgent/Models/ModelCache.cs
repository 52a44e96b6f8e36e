using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>
/// The model files of this node by content hash. A file that is missing comes from the gateway, once however many ask, into
/// a partial file that gets its name only when hash and format are right. An adapter comes with its base.
/// </summary>
internal sealed partial class ModelCache(GatewayDownloads downloads, ModelShelf shelf, ILogger<ModelCache> log)
    : IDisposable
{
    private readonly CancellationTokenSource closing = new();
    private readonly Lock gate = new();
    private readonly Dictionary<string, Task<CachedModel>> models = new(StringComparer.Ordinal);

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
            await downloads.FetchAsync(model, $"{InternalRoutes.Models}/{model.Sha256}", partial, closing.Token);
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
}
