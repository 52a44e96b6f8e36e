namespace EgpuFleet.Api;

/// <summary>A fine-tuning job: OpenAI's fields, and ours under one key. Times are Unix seconds.</summary>
/// <param name="Status"><c>queued</c>, <c>running</c>, <c>succeeded</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="FineTunedModel">Name the result is served by; null until it is.</param>
/// <param name="EstimatedFinish">By the pace of the last steps; null while there is none.</param>
/// <param name="TrainedTokens">Learnt from so far; null before the first step.</param>
public sealed record FineTuningJobInfo(
    string Id,
    string Object,
    long CreatedAt,
    long? FinishedAt,
    long? EstimatedFinish,
    FineTuningErrorInfo? Error,
    string? FineTunedModel,
    FineTuningHyperparameters Hyperparameters,
    string Model,
    string OrganizationId,
    IReadOnlyList<string> ResultFiles,
    string Status,
    long? TrainedTokens,
    string TrainingFile,
    string? ValidationFile,
    IReadOnlyList<string> Integrations,
    long Seed,
    FineTuningMethod Method,
    IReadOnlyDictionary<string, string>? Metadata,
    string? UserProvidedSuffix,
    FineTuningExtras Egpufleet
);

/// <summary>Why a job failed.</summary>
public sealed record FineTuningErrorInfo(string Code, string Message, string? Param);

/// <summary>What is known everywhere, as it is used.</summary>
public sealed record FineTuningHyperparameters(int NEpochs, int BatchSize, double LearningRateMultiplier);

/// <summary>How a job trains; supervised is the only way here.</summary>
public sealed record FineTuningMethod(string Type, SupervisedFineTuning? Supervised);

public sealed record SupervisedFineTuning(FineTuningHyperparameters Hyperparameters);

/// <summary>What only this fleet has.</summary>
/// <param name="Job">Id of the same job among all jobs.</param>
/// <param name="Phase">State of that job; finer than OpenAI's status: <c>paused</c>, <c>held</c>, <c>blocked</c>.</param>
/// <param name="Reason">Why it waits.</param>
/// <param name="Method"><c>lora</c> or <c>full</c>.</param>
/// <param name="MaxSteps">0: as many as the epochs make.</param>
/// <param name="Result">Name the result will be served by.</param>
/// <param name="Step">Steps done, as last heard.</param>
/// <param name="Metrics">Figures of the last step that was heard of.</param>
/// <param name="Chosen">Fields that were left open, each with why its value was chosen.</param>
public sealed record FineTuningExtras(
    string Job,
    string Phase,
    WaitReason? Reason,
    string Method,
    int? Rank,
    double? Alpha,
    IReadOnlyList<string>? Targets,
    int RowTokens,
    double LearningRate,
    long MaxSteps,
    string? Engine,
    string? Require,
    string? Prefer,
    string? StartFrom,
    int Priority,
    string Result,
    long Step,
    long? TotalSteps,
    IReadOnlyDictionary<string, double>? Metrics,
    IReadOnlyDictionary<string, string> Chosen
);

/// <summary>A line of a job's story. Level: info, warn, error. Type: message, metrics.</summary>
/// <param name="Data">Figures of a step, for metrics.</param>
public sealed record FineTuningEventInfo(
    string Id,
    string Object,
    long CreatedAt,
    string Level,
    string Message,
    string Type,
    IReadOnlyDictionary<string, double>? Data
);

/// <summary>A durable state of a job, and the name that belongs to it.</summary>
public sealed record FineTuningCheckpointInfo(
    string Id,
    string Object,
    long CreatedAt,
    string FineTunedModelCheckpoint,
    string FineTuningJobId,
    FineTuningCheckpointMetrics Metrics,
    long StepNumber
);

public sealed record FineTuningCheckpointMetrics(long Step, double? TrainLoss, double? ValidLoss);
