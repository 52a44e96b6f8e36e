namespace EgpuFleet.Api;

/// <summary>
/// Body of <c>POST /api/v1/jobs</c> as JSON, or the form part <c>job</c> of a multipart request whose part <c>input</c>
/// is a JSONL file with one <see cref="BatchLine"/> a line (for inputs too large to hold in one JSON value).
/// </summary>
/// <param name="Kind"><c>batch</c>.</param>
/// <param name="Model">Name of a registered model.</param>
/// <param name="Priority">-100 to 100, higher first; 0 when left out.</param>
/// <param name="Items">The prompts; left out when the input is a form part.</param>
public sealed record JobRequest(
    string? Kind,
    string? Model,
    GenerationOptions? Generation = null,
    int? Priority = null,
    IReadOnlyList<BatchLine>? Items = null
);

/// <summary>How to generate; every field may be left out.</summary>
/// <param name="MaxTokens">At least 1; left out: up to the end of the context.</param>
/// <param name="Temperature">0 to 2, 0 (the default for batches) is greedy.</param>
/// <param name="Stop">At most 4 strings.</param>
public sealed record GenerationOptions(
    int? MaxTokens = null,
    double? Temperature = null,
    double? TopP = null,
    int? TopK = null,
    long? Seed = null,
    IReadOnlyList<string>? Stop = null
);

/// <summary>One prompt of a batch: <c>prompt</c> or <c>messages</c>. Without a <c>custom_id</c> it is named by its index.</summary>
public sealed record BatchLine(
    string? CustomId = null,
    string? Prompt = null,
    IReadOnlyList<ChatTurn>? Messages = null
);

/// <summary>A chat message; role is system, user or assistant.</summary>
public sealed record ChatTurn(string? Role, string? Content);

/// <summary>A job. State: queued, running, succeeded, failed, cancelled.</summary>
/// <param name="Reason">Why it waits; only while it does.</param>
/// <param name="Failure">Why it failed or was cancelled.</param>
public sealed record JobInfo(
    string Id,
    string Object,
    string Kind,
    string Model,
    string State,
    int Priority,
    ItemCounts Items,
    GenerationOptions Generation,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    WaitReason? Reason,
    string? Failure
)
{
    /// <summary>True when nothing more will happen to it.</summary>
    public static bool IsTerminal(string state) => state is "succeeded" or "failed" or "cancelled";
}

/// <summary>Items of a job: all, with a text, with an error.</summary>
public sealed record ItemCounts(int Total, int Completed, int Failed);

/// <summary>Why a job waits, and what would change it.</summary>
public sealed record WaitReason(string Code, string Message, string? Action);

/// <summary>One line of a job's log; also the data of its server-sent event, whose id is the sequence.</summary>
/// <param name="Type">submitted, started, shard_started, shard_finished, shard_requeued, shard_failed, succeeded, failed, cancelled.</param>
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
    int DurationMilliseconds
);

public sealed record TokenUsage(int PromptTokens, int CompletionTokens);

public sealed record ResultError(string Code, string Message);
