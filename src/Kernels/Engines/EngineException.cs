namespace EgpuFleet.Kernels.Engines;

/// <summary>Every way in which an engine or its worker fails; on the wire in snake_case.</summary>
public enum EngineErrorClass
{
    /// <summary>A frame or header that breaks the worker protocol or one of its limits.</summary>
    ProtocolViolation,

    /// <summary>The hello did not carry this worker's credential.</summary>
    CredentialRefused,

    /// <summary>A parameter is out of its range.</summary>
    InvalidRequest,

    /// <summary>No model of that content hash is loaded here.</summary>
    ModelNotLoaded,

    /// <summary>The file is no model this engine can run.</summary>
    ModelInvalid,

    /// <summary>Chat messages for a model without a chat template the engine knows.</summary>
    ModelHasNoChatTemplate,

    /// <summary>The prompt does not fit; Actual and Limit are tokens.</summary>
    ContextLengthExceeded,

    /// <summary>The device has not enough memory.</summary>
    OutOfMemory,

    /// <summary>Too many requests wait already.</summary>
    QueueFull,

    /// <summary>Ended before it was done, because the model was unloaded or the worker is shutting down.</summary>
    Cancelled,

    /// <summary>The engine could not be opened on this machine.</summary>
    EngineUnavailable,

    /// <summary>The worker process or the connection to it is gone.</summary>
    WorkerLost,

    /// <summary>The worker lives but its work has stood still for longer than is believable; it is replaced.</summary>
    WorkerHung,

    /// <summary>A noop that was told to fail.</summary>
    NoopFailed,

    /// <summary>A noop that was told to fail once: elsewhere it may succeed.</summary>
    NoopInterrupted,

    /// <summary>A noop asked for a fault where none are obeyed.</summary>
    NoopFaultsDisabled,

    /// <summary>A loss or a gradient is no number: the step was not made.</summary>
    NotFinite,

    /// <summary>A file of a training state could not be written or read: the disk is full, or it is not allowed.</summary>
    FileFailed,

    /// <summary>A fault of the engine or of the worker itself.</summary>
    Internal,
}

/// <summary>A failure of an engine, the same on both sides of the worker protocol.</summary>
public sealed class EngineException(
    EngineErrorClass errorClass,
    string message,
    long? actual = null,
    long? limit = null,
    Exception? innerException = null
) : Exception(message, innerException)
{
    public EngineErrorClass ErrorClass { get; } = errorClass;

    /// <summary>The number that was too large, where there is one.</summary>
    public long? Actual { get; } = actual;

    /// <summary>The number it may be at most, where there is one.</summary>
    public long? Limit { get; } = limit;

    /// <summary>Whether the same request may succeed on another worker or a little later.</summary>
    public bool Retryable =>
        ErrorClass
            is EngineErrorClass.OutOfMemory
                or EngineErrorClass.QueueFull
                or EngineErrorClass.Cancelled
                or EngineErrorClass.EngineUnavailable
                or EngineErrorClass.ModelNotLoaded
                or EngineErrorClass.WorkerLost
                or EngineErrorClass.WorkerHung
                or EngineErrorClass.NoopInterrupted
                or EngineErrorClass.FileFailed
                or EngineErrorClass.Internal;
}
