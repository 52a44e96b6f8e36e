using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels;

/// <summary>What runs models on one device, inside a worker process: llama.cpp now, Torch and tinygrad behind the same words.</summary>
public interface IKernelEngine : IAsyncDisposable
{
    /// <summary>Name, version and abilities; known without touching the device.</summary>
    EngineIdentity Identity { get; }

    /// <summary>Opens the natives and the device. Everything below needs it.</summary>
    /// <exception cref="EngineException"><see cref="EngineErrorClass.EngineUnavailable"/>: natives missing or of another layout.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>What the engine sees of its device.</summary>
    EngineProbe Probe();

    /// <summary>Computes on the device and compares with values that are known and not zero.</summary>
    Task<SelfTestReport> SelfTestAsync(CancellationToken cancellationToken);

    /// <summary>What the device is at, for how long; null: nothing, or this engine does not tell. Answers while the device hangs.</summary>
    Task<DeviceCall?> DeviceCallAsync(CancellationToken cancellationToken) => Task.FromResult<DeviceCall?>(null);

    /// <summary>
    /// Takes tuned kernels for models loaded from now on, in place of all it was given before. Only where
    /// <see cref="EngineCapabilities.Tune"/> is.
    /// </summary>
    Task<TuningsTaken> UseTuningsAsync(IReadOnlyList<KernelOpts> tunings, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Counters of tuning; null: this engine tunes nothing.</summary>
    Task<TuningStats?> TuningStatsAsync(CancellationToken cancellationToken) => Task.FromResult<TuningStats?>(null);

    /// <summary>Loads a whole model. Several may be loaded at once.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelInvalid"/>, <see cref="EngineErrorClass.OutOfMemory"/> or
    /// <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Memory that a session would take, without loading anything. Only where <see cref="EngineCapabilities.Train"/> is, as
    /// what follows.
    /// </summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelInvalid"/>: nothing this engine can train; <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    Task<TrainEstimate> EstimateTrainingAsync(TrainSpec spec, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    /// <summary>Loads a model to train it. One session at a time; a worker closes the one before.</summary>
    /// <exception cref="EngineException">
    /// As of <see cref="EstimateTrainingAsync"/>; <see cref="EngineErrorClass.OutOfMemory"/> before anything is loaded where the
    /// estimate says so, with what would fit.
    /// </exception>
    Task<ITrainingSession> OpenTrainingAsync(TrainSpec spec, CancellationToken cancellationToken) =>
        throw new NotSupportedException();
}

/// <summary>One loaded model. Disposing it ends its running generations as cancelled and frees its memory.</summary>
public interface IModelShard : IAsyncDisposable
{
    ModelInfo Info { get; }

    /// <summary>Present where <see cref="EngineCapabilities.Generate"/> is.</summary>
    IGenerator Generator { get; }

    /// <summary>Runs the model once so that the first request does not pay for page faults or kernel compilation.</summary>
    Task WarmUpAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Searches faster kernels for the model, between its generations; when <paramref name="cancellationToken"/> fires, it
    /// ends by itself within one candidate, with <see cref="TuneFinish.Cancelled"/> and what was found. Only where
    /// <see cref="EngineCapabilities.Tune"/> is.
    /// </summary>
    /// <param name="seconds">Of the clock, 1 to 3,600.</param>
    /// <param name="progress">Called in order.</param>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.InvalidRequest"/>: a model in the exact profile is not tuned;
    /// <see cref="EngineErrorClass.QueueFull"/>: a search runs already.
    /// </exception>
    Task<TuneResult> TuneAsync(
        double seconds,
        Func<TuneProgress, Task> progress,
        CancellationToken cancellationToken
    ) => throw new NotSupportedException();

    /// <summary>The vector of a text; texts that come at the same time are computed together. Only where <see cref="EngineCapabilities.Embeddings"/> is.</summary>
    /// <param name="text">A text or tokens, of a bounded length.</param>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ContextLengthExceeded"/>, <see cref="EngineErrorClass.InvalidRequest"/>,
    /// <see cref="EngineErrorClass.OutOfMemory"/> or <see cref="EngineErrorClass.QueueFull"/>.
    /// </exception>
    Task<Embedding> EmbedAsync(Prompt text, CancellationToken cancellationToken) => throw new NotSupportedException();

    ModelStats Stats();
}

/// <summary>Streams tokens; any number of calls at once share the model by continuous batching.</summary>
public interface IGenerator
{
    /// <summary>
    /// The last item carries the finish reason and the usage. When <paramref name="cancellationToken"/> fires, the stream
    /// ends by itself, within one token, with <see cref="FinishReason.Cancelled"/>.
    /// </summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ContextLengthExceeded"/>, <see cref="EngineErrorClass.InvalidRequest"/>,
    /// <see cref="EngineErrorClass.ModelHasNoChatTemplate"/> or <see cref="EngineErrorClass.QueueFull"/>.
    /// </exception>
    IAsyncEnumerable<GeneratedToken> GenerateAsync(GenerateRequest request, CancellationToken cancellationToken);
}
