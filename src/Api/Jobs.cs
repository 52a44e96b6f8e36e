namespace EgpuFleet.Api;

/// <summary>A job. State: queued, blocked, held, running, paused, succeeded, failed, cancelled.</summary>
/// <param name="Model">Null for a kind that needs none.</param>
/// <param name="Generation">Null for a kind that generates nothing.</param>
/// <param name="Reason">Why it waits; only while it does.</param>
/// <param name="Failure">Why it failed or was cancelled, in words.</param>
/// <param name="End">The same with its code.</param>
/// <param name="Noop">What a no-op does; null for other kinds.</param>
/// <param name="Tune">How a search for faster kernels is made; null for other kinds.</param>
/// <param name="Train">What a fine-tuning job does; null for other kinds.</param>
public sealed record JobInfo(
    string Id,
    string Object,
    string Kind,
    string? Model,
    string State,
    int Priority,
    ItemCounts Items,
    GenerationOptions? Generation,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    WaitReason? Reason,
    string? Failure,
    JobEndInfo? End = null,
    JobRulesInfo? Rules = null,
    NoopInfo? Noop = null,
    TuneInfo? Tune = null,
    TrainInfo? Train = null
)
{
    /// <summary>True when nothing more will happen to it.</summary>
    public static bool IsTerminal(string state) => state is "succeeded" or "failed" or "cancelled";
}

/// <summary>Items of a job: all, with a text, with an error.</summary>
public sealed record ItemCounts(int Total, int Completed, int Failed);

/// <summary>Why a job waits, and what would change it.</summary>
/// <param name="BlockingJobId">The job that is in the way, where it is one.</param>
public sealed record WaitReason(string Code, string Message, string? Action, string? BlockingJobId = null);

/// <summary>How a job ended without success.</summary>
/// <param name="Code">cancelled, work_failed, retries_exhausted, deadline_exceeded, run_time_exceeded, dependency_failed.</param>
public sealed record JobEndInfo(string Code, string Message);

/// <summary>The rules a job was submitted with; what was left out is left out, but for the retry policy.</summary>
public sealed record JobRulesInfo(
    IReadOnlyList<DependencyOptions>? DependsOn,
    DateTimeOffset? Deadline,
    double? MaxRunSeconds,
    RetryOptions Retry,
    int? MaxParallel,
    string? Require = null,
    string? Prefer = null
);

/// <summary>What a no-op does.</summary>
public sealed record NoopInfo(int DurationMs, string Fault);

/// <summary>How a search for faster kernels is made.</summary>
public sealed record TuneInfo(int Seconds);

/// <summary>What a fine-tuning job does; its figures are at <c>/v1/fine_tuning/jobs</c>.</summary>
/// <param name="FineTuningJob">Its id there.</param>
/// <param name="Method"><c>lora</c> or <c>full</c>.</param>
/// <param name="Result">Name that the trained model will be served by.</param>
/// <param name="Engine">Must train it; null: any.</param>
public sealed record TrainInfo(
    string FineTuningJob,
    string Method,
    int Epochs,
    int BatchSize,
    int RowTokens,
    string TrainingFile,
    string? ValidationFile,
    string Result,
    string? Engine
);

/// <summary>Answer of <c>GET /api/v1/jobs/{id}/why</c>.</summary>
/// <param name="Reasons">What keeps it from running (more); empty when nothing does.</param>
/// <param name="End">How it ended, when it is over and did not succeed.</param>
public sealed record WhyInfo(string Id, string State, IReadOnlyList<WaitReason> Reasons, JobEndInfo? End);

/// <summary>One line of a job's log; also the data of its server-sent event, whose id is the sequence.</summary>
/// <param name="Type">
/// submitted, held, released, blocked, unblocked, started, paused, resumed, shard_started, shard_finished, shard_requeued,
/// shard_failed, succeeded, failed, cancelled.
/// </param>
public sealed record JobEventInfo(
    long Sequence,
    DateTimeOffset At,
    string Type,
    int? Shard,
    int? Epoch,
    string? Device,
    int? ItemCount,
    string? Message
);

/// <summary>One line of <c>GET /api/v1/jobs/{id}/results</c>; text or error.</summary>
/// <param name="Attempt">Lease epoch of the shard that produced it: 1 at the first try.</param>
/// <param name="StartedAt">When its worker started it, by the clock of the node; null where the worker does not say.</param>
public sealed record ResultLine(
    int Index,
    string CustomId,
    string? Text,
    string? FinishReason,
    TokenUsage? Usage,
    ResultError? Error,
    string Node,
    string Device,
    int WorkerProcessId,
    int Attempt,
    int DurationMilliseconds,
    DateTimeOffset? StartedAt = null
);

public sealed record TokenUsage(int PromptTokens, int CompletionTokens);

public sealed record ResultError(string Code, string Message);
