using EgpuFleet.Kernels.Engines;

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

    /// <summary>Loads a whole model. Several may be loaded at once.</summary>
    /// <exception cref="EngineException">
    /// <see cref="EngineErrorClass.ModelInvalid"/>, <see cref="EngineErrorClass.OutOfMemory"/> or
    /// <see cref="EngineErrorClass.InvalidRequest"/>.
    /// </exception>
    Task<IModelShard> LoadAsync(LoadSpec spec, CancellationToken cancellationToken);
}

/// <summary>One loaded model. Disposing it ends its running generations as cancelled and frees its memory.</summary>
public interface IModelShard : IAsyncDisposable
{
    ModelInfo Info { get; }

    /// <summary>Present where <see cref="EngineCapabilities.Generate"/> is.</summary>
    IGenerator Generator { get; }

    /// <summary>Runs the model once so that the first request does not pay for page faults or kernel compilation.</summary>
    Task WarmUpAsync(CancellationToken cancellationToken);

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
