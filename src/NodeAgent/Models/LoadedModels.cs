using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Tuning;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Tuning;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Models;

/// <summary>
/// The models in a device's worker. As many as memory permits; the least recently used one that nobody uses makes room.
/// Loads and unloads go one at a time. Adapters of one base share its weights.
/// </summary>
/// <param name="tunings">Null for an engine whose kernels are not tuned.</param>
internal sealed partial class LoadedModels(
    ModelCache cache,
    ModelShelf shelf,
    int threads,
    DeviceMemory memory,
    BringUp bringUp,
    FleetTunings? tunings,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<LoadedModels> log
) : IDisposable
{
    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly Lock gate = new();
    private readonly Dictionary<string, LoadedModel> loaded = new(StringComparer.Ordinal);
    private readonly ModelLoan loan = new();

    // By what was done and for which model: the next time it takes about as long.
    private readonly Dictionary<(string, string), TimeSpan> took = [];
    private WorkerProcess? worker;

    /// <summary>Hashes of what is loaded, and the memory counted for it and for what is reserved beside it.</summary>
    public (string[] Hashes, long MemoryBytes) Now
    {
        get
        {
            lock (gate)
                return ([.. loaded.Keys], UsedBytes);
        }
    }

    /// <summary>What the worker made of tuned kernels, as it was last asked; null for an engine that tunes nothing.</summary>
    public TuningCounters? Tuning { get; private set; }

    /// <summary>Makes sure that the model is loaded and keeps it so until the use is disposed.</summary>
    /// <exception cref="Grains.Interfaces.Serving.GenerationException">It cannot be had, or does not fit.</exception>
    /// <exception cref="EngineException">The worker could not load it.</exception>
    public async Task<ModelUse> AcquireAsync(ModelRef model, WorkerProcess on, CancellationToken cancellationToken)
    {
        var file = await FetchAsync(model, cancellationToken);
        using var asking = loan.Recall();
        await turn.WaitAsync(cancellationToken);
        try
        {
            await FollowAsync(on);
            if (Find(model.Sha256) is { } present)
                return Use(present);
            await MakeRoomAsync(model, file);
            // Not the caller's token: a load that goes on in the worker unseen would be memory nobody counts.
            using var limit = new CancellationTokenSource(Limits.LoadTimeout, time);
            var info = await LoadAsync(model, file, limit.Token);
            return Use(Remember(file, info));
        }
        finally
        {
            turn.Release();
            changes.Raise();
        }
    }

    /// <summary>
    /// Lends the worker's memory for something that is nobody's model and is gone afterwards, as long as no model is asked for.
    /// </summary>
    /// <param name="needBytes">Of what is loaded meanwhile.</param>
    /// <param name="use">Is cancelled as soon as a model is asked for.</param>
    /// <returns>False: it was not lent, or was called back before it was over.</returns>
    /// <exception cref="EngineException">There is no room for it, and what <paramref name="use"/> throws.</exception>
    public async Task<bool> LendAsync(
        WorkerProcess on,
        long needBytes,
        Func<CancellationToken, Task> use,
        CancellationToken cancellationToken
    )
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            await FollowAsync(on);
            var free = memory.Bytes - Now.MemoryBytes - ModelMemory.ReserveBytes;
            if (needBytes > free)
                throw new EngineException(EngineErrorClass.OutOfMemory, "No room beside the models.", needBytes, free);
            return await loan.UseAsync(use, cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Asks the worker what it made of tuned kernels.</summary>
    /// <exception cref="EngineException">It is gone.</exception>
    public async Task CountTuningAsync(WorkerProcess on, CancellationToken cancellationToken)
    {
        if (tunings is null || (await on.Client.StatsAsync(cancellationToken)).Tuning is not { } now)
            return;
        Tuning = new TuningCounters(now.TunedKernels, now.TuningMisses, now.TuningRejected, now.KernelsSearched);
    }

    /// <summary>Takes over what a worker of an earlier agent has loaded, so that the fleet knows of it. Never faults.</summary>
    public async Task TakeOverAsync(WorkerProcess adopted)
    {
        if (adopted.Client.Worker.Models.Count == 0)
            return;
        await turn.WaitAsync();
        try
        {
            await FollowAsync(adopted);
        }
        catch (EngineException)
        {
            // It has just died; its supervisor says so, and the next worker has nothing loaded.
        }
        finally
        {
            turn.Release();
            changes.Raise();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<CachedModel> FetchAsync(ModelRef model, CancellationToken cancellationToken)
    {
        if (model.Base is { } known)
            await FetchAsync(known, cancellationToken);
        var fetching = cache.GetAsync(model, cancellationToken);
        if (fetching.IsCompleted)
            return await fetching;
        var partial = new FileInfo(shelf.PartialOf(model.Sha256));
        using var phase = bringUp.Begin($"fetching {model.Name}", model.SizeBytes, () => BytesOf(partial));
        return await fetching;
    }

    private static long BytesOf(FileInfo file)
    {
        file.Refresh();
        return file.Exists ? file.Length : 0;
    }

    /// <summary>Starts anew with another worker; what an adopted one brought along without a record here is unloaded.</summary>
    private async Task FollowAsync(WorkerProcess on)
    {
        if (worker == on)
            return;
        lock (gate)
        {
            foreach (var model in loaded.Values)
                Release(model);
            loaded.Clear();
        }
        worker = on;
        Tuning = null;
        foreach (var hash in on.Client.Worker.Models)
        {
            if (shelf.Find(hash) is { } kept && await TryKeepAsync(kept))
                continue;
            await on.Client.UnloadAsync(hash);
        }
    }

    private async Task<bool> TryKeepAsync(CachedModel file)
    {
        try
        {
            // An equal spec is answered at once with what is loaded.
            Remember(file, await worker!.Client.LoadAsync(file.Spec(threads)));
            return true;
        }
        catch (EngineException e) when (e.ErrorClass == EngineErrorClass.InvalidRequest)
        {
            return false;
        }
    }

    private async Task<ModelInfo> LoadAsync(ModelRef model, CachedModel file, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var client = worker!.Client;
        try
        {
            await (tunings?.GiveAsync(worker!, cancellationToken) ?? Task.CompletedTask);
            await TakeAsync("loading", () => client.LoadAsync(file.Spec(threads), cancellationToken));
            var info = await TakeAsync("warming up", () => client.WarmUpAsync(model.Sha256, cancellationToken));
            await CountTuningAsync(worker!, cancellationToken);
            LogLoaded(model.Name, info.MemoryBytes, time.GetElapsedTime(started).TotalMilliseconds);
            return info;
        }
        catch (OperationCanceledException)
        {
            var reason = $"'{model.Name}' was not loaded within {Limits.LoadTimeout.TotalSeconds:0} s.";
            // Its next load would wait behind this one.
            worker!.Condemn(reason);
            throw new EngineException(EngineErrorClass.WorkerHung, reason);
        }

        async Task<ModelInfo> TakeAsync(string doing, Func<Task<ModelInfo>> work)
        {
            var (key, begun) = ((doing, model.Sha256), time.GetTimestamp());
            using var phase = bringUp.Begin(
                $"{doing} {model.Name}",
                expected: took.TryGetValue(key, out var t) ? t : null
            );
            var done = await work();
            took[key] = time.GetElapsedTime(begun);
            return done;
        }
    }

    private LoadedModel? Find(string hash)
    {
        lock (gate)
            return loaded.GetValueOrDefault(hash);
    }

    private LoadedModel Remember(CachedModel file, ModelInfo info)
    {
        var model = new LoadedModel(file, info);
        lock (gate)
            loaded[model.Hash] = model;
        foreach (var hash in model.Files)
            shelf.Hold(hash);
        return model;
    }

    private void Release(LoadedModel model)
    {
        foreach (var hash in model.Files)
            shelf.Release(hash);
    }

    private ModelUse Use(LoadedModel model)
    {
        lock (gate)
            model.Uses++;
        return new ModelUse(model.Info, () => Unuse(model));
    }

    private void Unuse(LoadedModel model)
    {
        lock (gate)
        {
            model.Uses--;
            model.LastUsed = time.GetTimestamp();
        }
    }
}
