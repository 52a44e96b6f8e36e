using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Noops;

/// <summary>What a noop does besides its work; for tests and rehearsals, obeyed only by a worker that was started for them.</summary>
public enum NoopFault
{
    None,

    /// <summary>Fails for good, with <see cref="EngineErrorClass.NoopFailed"/>.</summary>
    Fail,

    /// <summary>Fails with <see cref="EngineErrorClass.NoopInterrupted"/>: elsewhere it may succeed.</summary>
    FailRetryable,

    /// <summary>The worker process ends at once, as if killed.</summary>
    Crash,

    /// <summary>Never answers.</summary>
    Hang,
}

/// <summary>
/// One noop: wait, then answer with the SHA-256 of the payload. It exists to measure and to try the queue, so a worker
/// process does it like any other work.
/// </summary>
/// <param name="Lane">Noops of one lane run one after another, in the order sent; lanes run side by side. Never used twice.</param>
/// <param name="Index">The caller's, handed back.</param>
/// <param name="Payload">Any text.</param>
/// <param name="DurationMilliseconds">Least time it takes; 0 or more.</param>
/// <param name="Fault">Usually none.</param>
public readonly record struct NoopWork(
    long Lane,
    int Index,
    string Payload,
    int DurationMilliseconds = 0,
    NoopFault Fault = NoopFault.None
);

/// <summary>How a noop ended.</summary>
/// <param name="Lane">As sent.</param>
/// <param name="Index">As sent.</param>
/// <param name="Sha256">Lower-case hex digest of the payload's UTF-8; null where it failed.</param>
/// <param name="StartedAt">When the worker started it, by the wall clock of its machine.</param>
/// <param name="DurationMilliseconds">What it took in the worker.</param>
/// <param name="Error">Null where it succeeded. A failure ends its lane: no later noop of it is answered.</param>
public readonly record struct NoopAnswer(
    long Lane,
    int Index,
    string? Sha256,
    DateTimeOffset StartedAt,
    int DurationMilliseconds,
    EngineException? Error
);
