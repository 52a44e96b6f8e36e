using System.Text.Json;
using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>What a client may ask; each is answered by one result or one error frame, generate by token frames before it.</summary>
public enum WorkerVerb
{
    /// <summary>First on every connection; carries the credential.</summary>
    Hello,
    Probe,
    SelfTest,
    Load,
    WarmUp,

    /// <summary>The frame's body is a <see cref="GenerateBody"/> as JSON. Answered by token frames; the last one has the finish reason.</summary>
    Generate,

    /// <summary>Ends a running generate of the same connection; not answered, the generate is.</summary>
    Cancel,

    /// <summary>Allows a running generate to send more token frames; not answered.</summary>
    Credit,

    /// <summary>
    /// The body is noops to run and lanes to give up (<see cref="Noops.NoopCodec"/>). Not answered itself: the answers of all
    /// noops of a connection come, as they are ready, in frames whose header says <see cref="ResponseHeader.Noops"/>.
    /// </summary>
    Noop,

    /// <summary>The body is an <see cref="EmbedBody"/> as JSON.</summary>
    Embed,
    Stats,

    /// <summary>The body is tuned kernels for models loaded from now on, as JSON.</summary>
    UseTunings,

    /// <summary>Searches faster kernels of a loaded model. Answered by progress frames, then its result; ended by a cancel.</summary>
    Tune,
    Unload,

    /// <summary>Memory of a training session. The training verbs end at the next pass where they are cancelled.</summary>
    TrainEstimate,

    /// <summary>Opens the worker's one training session, in place of the one before; it outlives the connection.</summary>
    TrainOpen,
    TrainStep,
    TrainEvaluate,
    TrainBackward,
    TrainUpdate,
    TrainSave,
    TrainRestore,
    TrainContinue,
    TrainClose,
    Shutdown,
}

internal static class WorkerVerbs
{
    public static bool IsTraining(this WorkerVerb verb) =>
        verb is >= WorkerVerb.TrainEstimate and <= WorkerVerb.TrainClose;
}

/// <summary>Header of a frame from client to worker.</summary>
/// <param name="Id">Chosen by the client, new for every request of a connection.</param>
/// <param name="Verb">What is asked.</param>
/// <param name="Params">The verb's parameters, where it has any.</param>
/// <param name="Traceparent">W3C trace context of the caller.</param>
public sealed record RequestHeader(long Id, WorkerVerb Verb, JsonElement? Params = null, string? Traceparent = null);

/// <summary>Header of a frame from worker to client: exactly one of the last five is there.</summary>
/// <param name="Id">Of the request; 0 for noops.</param>
/// <param name="Noops">True where the body holds answers of noops.</param>
public sealed record ResponseHeader(
    long Id,
    JsonElement? Result = null,
    GeneratedToken? Token = null,
    WorkerError? Error = null,
    bool? Noops = null,
    TuneProgress? Progress = null
);

/// <summary>An <see cref="EngineException"/> on the wire.</summary>
public sealed record WorkerError(
    EngineErrorClass ErrorClass,
    string Text,
    bool Retryable,
    long? Actual = null,
    long? Limit = null
)
{
    public static WorkerError From(EngineException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return new(exception.ErrorClass, exception.Message, exception.Retryable, exception.Actual, exception.Limit);
    }

    public EngineException ToException() => new(ErrorClass, Text, Actual, Limit);
}

public sealed record HelloParams(string Credential, int ProtocolVersion);

/// <summary>Who answers.</summary>
/// <param name="ProcessId">Of the worker.</param>
/// <param name="Engine">Name of its engine.</param>
/// <param name="Version">Version of the engine.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Models">Content hashes of the models it still has: a reconnecting agent adopts them.</param>
public sealed record HelloResult(
    int ProcessId,
    string Engine,
    string Version,
    WorkerState State,
    IReadOnlyList<string> Models
);

public sealed record ModelParams(string ContentHash);

public sealed record GenerateParams(
    string ContentHash,
    GenerationOptions Options,
    GenerationPriority Priority,
    int CreditTokens
);

/// <summary>What a generate has that may be long.</summary>
/// <param name="Prompt">What the model continues.</param>
/// <param name="Grammar">As in <see cref="GenerationOptions.Grammar"/>.</param>
/// <param name="LogitBiases">As in <see cref="GenerationOptions.LogitBiases"/>.</param>
public sealed record GenerateBody(Prompt Prompt, string? Grammar = null, IReadOnlyList<LogitBias>? LogitBiases = null)
{
    public static GenerateBody Of(GenerateRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var options = request.Options;
        return new GenerateBody(
            request.Prompt,
            options.Grammar,
            options.LogitBiases is [] ? null : options.LogitBiases
        );
    }
}

/// <param name="Text">Of which a vector is made.</param>
public sealed record EmbedBody(Prompt Text);

public sealed record TuneParams(string ContentHash, double Seconds);

public sealed record CancelParams(long RequestId);

public sealed record CreditParams(long RequestId, int Tokens);

/// <summary>Figures of the whole worker.</summary>
/// <param name="State">Where it stands.</param>
/// <param name="UptimeSeconds">Since the process began to listen.</param>
/// <param name="ResidentBytes">Physical memory of the process.</param>
/// <param name="RunningGenerations">Generates not yet answered, waiting ones included.</param>
/// <param name="Models">One per loaded model.</param>
/// <param name="DeviceCall">What the device is at; null: nothing, or the engine does not tell.</param>
/// <param name="Tuning">Counters of tuned kernels; null: the engine has none.</param>
public sealed record WorkerStats(
    WorkerState State,
    double UptimeSeconds,
    long ResidentBytes,
    int RunningGenerations,
    IReadOnlyList<ModelStats> Models,
    DeviceCall? DeviceCall = null,
    TuningStats? Tuning = null
);
