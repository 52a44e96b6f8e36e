using System.Collections.Concurrent;
using System.Diagnostics;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>The engine of a worker with its state and its loaded models, shared by all connections.</summary>
internal sealed class WorkerEngine(IKernelEngine engine, TimeProvider time) : IDisposable
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim loading = new(1, 1);
    private readonly WorkerTraining training = new(engine);
    private readonly ConcurrentDictionary<string, LoadedModel> models = new(StringComparer.Ordinal);
    private readonly long startedAt = time.GetTimestamp();
    private volatile bool openBegun;
    private int loads;
    private int warmUps;
    private int generations;

    public EngineIdentity Identity => engine.Identity;

    public IReadOnlyList<string> Hashes => [.. models.Keys];

    public WorkerState State =>
        opened.Task.IsFaulted ? WorkerState.Failed
        : !openBegun ? WorkerState.Spawned
        : !opened.Task.IsCompleted ? WorkerState.Opening
        : Volatile.Read(ref loads) > 0 ? WorkerState.Loading
        : Volatile.Read(ref warmUps) > 0 ? WorkerState.Warming
        : Volatile.Read(ref generations) > 0 || training.IsBusy ? WorkerState.Busy
        : WorkerState.Ready;

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        openBegun = true;
        try
        {
            await engine.OpenAsync(cancellationToken);
            opened.SetResult();
        }
        catch (EngineException exception)
        {
            opened.SetException(exception);
            // Awaited by whoever asks for work; marked as seen for the case that nobody does.
            _ = opened.Task.Exception;
            throw;
        }
        catch (OperationCanceledException)
        {
            // The worker ends while the device opens, or hangs: whoever waits for it must not wait on.
            opened.SetCanceled(cancellationToken);
            throw;
        }
    }

    public async Task<EngineProbe> ProbeAsync()
    {
        await opened.Task;
        return engine.Probe();
    }

    public async Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken)
    {
        await opened.Task;
        return await engine.SelfTestAsync(cancellationToken);
    }

    /// <summary>One load at a time; a second one of an equal spec returns what the first one loaded.</summary>
    public async Task<ModelInfo> LoadAsync(LoadSpec spec, CancellationToken cancellationToken)
    {
        await opened.Task;
        LoadSpecRules.Check(spec);
        if (spec.Adapter is not null && !engine.Identity.Capabilities.HasFlag(EngineCapabilities.Adapters))
            throw Missing("serves no adapters");
        await loading.WaitAsync(cancellationToken);
        Interlocked.Increment(ref loads);
        try
        {
            if (models.TryGetValue(spec.ContentHash, out var loaded))
                return loaded.Spec == spec ? loaded.Shard.Info : throw LoadedOtherwise(spec);
            if (models.Count >= Limits.Models)
                throw new EngineException(
                    EngineErrorClass.OutOfMemory,
                    "Too many models.",
                    models.Count + 1,
                    Limits.Models
                );
            var shard = await engine.LoadAsync(spec, cancellationToken);
            models[spec.ContentHash] = new LoadedModel(spec, shard);
            return shard.Info;
        }
        finally
        {
            Interlocked.Decrement(ref loads);
            loading.Release();
        }
    }

    public async Task<ModelInfo> WarmUpAsync(string contentHash, CancellationToken cancellationToken)
    {
        var shard = Find(contentHash);
        Interlocked.Increment(ref warmUps);
        try
        {
            await shard.WarmUpAsync(cancellationToken);
            return shard.Info;
        }
        finally
        {
            Interlocked.Decrement(ref warmUps);
        }
    }

    public async IAsyncEnumerable<GeneratedToken> GenerateAsync(
        GenerateRequest request,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        GenerationRules.Check(request);
        if (request.Options.Grammar is not null && !engine.Identity.Capabilities.HasFlag(EngineCapabilities.Grammars))
            throw Missing("holds no text to a grammar");
        if (request.Options.HasLogitRules && !engine.Identity.Capabilities.HasFlag(EngineCapabilities.LogitRules))
            throw Missing("takes neither penalties nor biases of logits");
        var generator = Find(request.ContentHash).Generator;
        Interlocked.Increment(ref generations);
        try
        {
            // The generator ends a cancelled stream by itself, with the usage.
            await foreach (var token in generator.GenerateAsync(request, cancellationToken))
                yield return token;
        }
        finally
        {
            Interlocked.Decrement(ref generations);
        }
    }

    public async Task<Embedding> EmbedAsync(string contentHash, Prompt text, CancellationToken cancellationToken)
    {
        if (!engine.Identity.Capabilities.HasFlag(EngineCapabilities.Embeddings))
            throw Missing("makes no vectors of texts");
        if (text is ChatPrompt)
            throw new EngineException(EngineErrorClass.InvalidRequest, "A vector is made of a text, not of a chat.");
        var shard = Find(contentHash);
        Interlocked.Increment(ref generations);
        try
        {
            return await shard.EmbedAsync(text, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref generations);
        }
    }

    public async Task<TuningsTaken> UseTuningsAsync(
        IReadOnlyList<KernelOpts> tunings,
        CancellationToken cancellationToken
    )
    {
        await opened.Task;
        RequireTuning();
        return await engine.UseTuningsAsync(tunings, cancellationToken);
    }

    public Task<TuneResult> TuneAsync(
        TuneParams wanted,
        Func<TuneProgress, Task> progress,
        CancellationToken cancellationToken
    )
    {
        RequireTuning();
        return wanted.Seconds is >= 1 and <= Limits.TuneSeconds
            ? Find(wanted.ContentHash).TuneAsync(wanted.Seconds, progress, cancellationToken)
            : throw new EngineException(
                EngineErrorClass.InvalidRequest,
                $"seconds {wanted.Seconds} is not in 1..{Limits.TuneSeconds}."
            );
    }

    /// <summary>The training session, once the device is open.</summary>
    public async Task<WorkerTraining> TrainingAsync()
    {
        await opened.Task;
        return training;
    }

    public async Task UnloadAsync(string contentHash)
    {
        if (!models.TryRemove(contentHash, out var model))
            throw NotLoaded(contentHash);
        await model.Shard.DisposeAsync();
    }

    /// <summary>The figures, with what the device is at.</summary>
    public async Task<WorkerStats> StatsAsync(CancellationToken cancellationToken) =>
        Stats() with
        {
            DeviceCall = openBegun ? await engine.DeviceCallAsync(cancellationToken) : null,
            Tuning = openBegun ? await engine.TuningStatsAsync(cancellationToken) : null,
        };

    public WorkerStats Stats()
    {
        using var process = Process.GetCurrentProcess();
        return new WorkerStats(
            State,
            time.GetElapsedTime(startedAt).TotalSeconds,
            process.WorkingSet64,
            Volatile.Read(ref generations),
            [.. models.Values.Select(model => model.Shard.Stats())]
        );
    }

    /// <summary>Frees everything; a native call that does not return in time is left to the end of the process.</summary>
    public async Task CloseAsync(Task opening)
    {
        var freeing = Task.Run(async () =>
        {
            await opening;
            foreach (var contentHash in Hashes)
                await UnloadAsync(contentHash);
            await training.CloseAsync(CancellationToken.None);
            await engine.DisposeAsync();
        });
        await freeing.WaitAsync(Limits.StopTimeout, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        loading.Dispose();
        training.Dispose();
    }

    private void RequireTuning()
    {
        if (!engine.Identity.Capabilities.HasFlag(EngineCapabilities.Tune))
            throw NoTuning.In(engine.Identity.Name);
    }

    private IModelShard Find(string contentHash) =>
        models.TryGetValue(contentHash, out var model) ? model.Shard : throw NotLoaded(contentHash);

    private static EngineException NotLoaded(string contentHash) =>
        new(EngineErrorClass.ModelNotLoaded, $"No model {contentHash} is loaded in this worker.");

    private EngineException Missing(string what) =>
        new(
            EngineErrorClass.InvalidRequest,
            $"{engine.Identity.Name} {what}; the engine {LlamaCppSettings.Engine} does. Choose a device that it drives."
        );

    private static EngineException LoadedOtherwise(LoadSpec spec) =>
        new(
            EngineErrorClass.InvalidRequest,
            $"Model {spec.ContentHash} is loaded with other options; unload it first."
        );

    private sealed record LoadedModel(LoadSpec Spec, IModelShard Shard);
}
