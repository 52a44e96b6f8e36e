namespace EgpuFleet.Api;

/// <summary>
/// Body of <c>POST /api/v1/jobs</c> as JSON; or the form part <c>job</c> of a multipart request whose part <c>input</c>
/// is a JSONL file with one <see cref="BatchLine"/> a line (for inputs too large to hold in one JSON value); or one line of
/// <c>POST /api/v1/jobs:bulk</c>.
/// </summary>
/// <param name="Kind"><c>batch</c>, <c>noop</c> or <c>tune</c>.</param>
/// <param name="Model">Of a batch or tune: name of a registered model.</param>
/// <param name="Generation">Of a batch.</param>
/// <param name="Priority">-100 to 100, higher first; 0 when left out.</param>
/// <param name="Items">The prompts (of a noop: payloads); left out when the input is a form part, or a noop has a payload.</param>
/// <param name="Payload">Of a noop: at most 64 KiB of text.</param>
/// <param name="DurationMs">Of a noop: how long each item takes, 0 (when left out) to 3,600,000.</param>
/// <param name="Fault">Of a noop: <c>none</c>, <c>fail</c>, <c>fail_retryable</c>, <c>crash</c>, <c>hang</c>.</param>
/// <param name="Array">Of a noop: the payload so many times.</param>
/// <param name="DependsOn">Jobs that must end first, at most 100.</param>
/// <param name="Deadline">RFC 3339 time in the future; a job not done by then fails.</param>
/// <param name="MaxRunSeconds">From its first start; a job that runs longer fails.</param>
/// <param name="MaxParallel">Shards of it that may run at once; left out: as many as fit.</param>
/// <param name="Hold">True: it waits for its release.</param>
/// <param name="Ref">In bulk: a name by which later lines may depend on it.</param>
/// <param name="Require">It runs on such devices or waits: <c>cpu</c>, <c>gpu</c>, <c>egpu</c>, <c>apple_gpu</c>, <c>linux_gpu</c>.</param>
/// <param name="Tune">Of a tune; may be left out.</param>
/// <param name="Prefer">It runs on such a device when one is free, else elsewhere, and its log says so.</param>
public sealed record JobRequest(
    string? Kind,
    string? Model = null,
    GenerationOptions? Generation = null,
    int? Priority = null,
    IReadOnlyList<BatchLine>? Items = null,
    string? Payload = null,
    int? DurationMs = null,
    string? Fault = null,
    ArrayOptions? Array = null,
    IReadOnlyList<DependencyOptions>? DependsOn = null,
    string? Deadline = null,
    double? MaxRunSeconds = null,
    RetryOptions? Retry = null,
    int? MaxParallel = null,
    bool? Hold = null,
    string? Ref = null,
    string? Require = null,
    string? Prefer = null,
    TuneOptions? Tune = null
);

/// <summary>A search for faster kernels.</summary>
/// <param name="Seconds">It ends after so long: 5 to 3,600, 300 when left out.</param>
public sealed record TuneOptions(int? Seconds = null);

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

/// <summary>Many items of one payload.</summary>
/// <param name="Count">1 to 50,000.</param>
/// <param name="MaxParallel">The same as the job's own.</param>
public sealed record ArrayOptions(int? Count, int? MaxParallel = null);

/// <summary>A job to wait for: by its id, or in bulk by the name that an earlier line gave itself.</summary>
/// <param name="Condition"><c>after_ok</c> (when left out) or <c>after_any</c>.</param>
public sealed record DependencyOptions(string? Job = null, string? Condition = null, string? Ref = null);

/// <summary>How often a failing part is tried; every field may be left out.</summary>
/// <param name="MaxAttempts">1 to 100, the first try included.</param>
/// <param name="BackoffSeconds">Wait before the second try, 0 to 3,600; doubles with each further one.</param>
/// <param name="MaxBackoffSeconds">The longest wait.</param>
public sealed record RetryOptions(
    int? MaxAttempts = null,
    double? BackoffSeconds = null,
    double? MaxBackoffSeconds = null
);
