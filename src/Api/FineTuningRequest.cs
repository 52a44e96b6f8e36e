namespace EgpuFleet.Api;

/// <summary>What is asked of a fine-tuning job, in the words of OpenAI's API; what is null is left to the fleet.</summary>
/// <param name="TrainingFile">Id of an uploaded file.</param>
/// <param name="ValidationFile">Id of another one; null: nothing is held out.</param>
public sealed record FineTuningRequest(
    string Model,
    string TrainingFile,
    string? ValidationFile = null,
    string? Suffix = null,
    long? Seed = null,
    FineTuningMethodOptions? Method = null,
    IReadOnlyDictionary<string, string>? Metadata = null,
    FineTuningExtraOptions? Egpufleet = null
);

/// <summary>How it trains; supervised is the only way here.</summary>
public sealed record FineTuningMethodOptions(string Type, SupervisedOptions Supervised);

public sealed record SupervisedOptions(HyperparameterOptions Hyperparameters);

public sealed record HyperparameterOptions(
    int? NEpochs = null,
    int? BatchSize = null,
    double? LearningRateMultiplier = null
);

/// <summary>What only this fleet has.</summary>
/// <param name="Method"><c>lora</c> or <c>full</c>.</param>
/// <param name="StartFrom">A checkpoint of another run of the same base; the adapter's shape is that run's.</param>
public sealed record FineTuningExtraOptions(
    string? Method = null,
    int? Rank = null,
    double? Alpha = null,
    IReadOnlyList<string>? Targets = null,
    int? RowTokens = null,
    double? LearningRate = null,
    long? MaxSteps = null,
    string? Engine = null,
    string? Require = null,
    string? Prefer = null,
    string? StartFrom = null,
    int? Priority = null,
    int? EvaluateEverySteps = null,
    int? CheckpointSeconds = null,
    DataParallelOptions? DataParallel = null
);

/// <summary>How devices share a run.</summary>
/// <param name="Devices">As many as there should be.</param>
/// <param name="Steps">Of each between two rounds.</param>
/// <param name="Encoding"><c>f32</c>, <c>f16</c> or <c>i8</c>.</param>
public sealed record DataParallelOptions(
    int Devices,
    int? Steps = null,
    double? RoundSeconds = null,
    double? OuterRate = null,
    double? OuterMomentum = null,
    string? Encoding = null
);
