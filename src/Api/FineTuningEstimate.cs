namespace EgpuFleet.Api;

/// <summary>What a fine-tuning job would do and need, of the same request; nothing is made of it.</summary>
/// <param name="Chosen">Fields that were left open, each with why its value was chosen.</param>
/// <param name="Steps">Of the whole run.</param>
/// <param name="Tokens">That it would learn from, over all epochs.</param>
/// <param name="IsCounted">Whether all of the data was tokenised; else the rest is taken to be like its beginning.</param>
/// <param name="Preview">The first sample as the model reads it.</param>
/// <param name="Warnings">What is worth knowing of the data.</param>
/// <param name="CanRun">Whether some device fits now.</param>
public sealed record FineTuningEstimateInfo(
    string Object,
    string Model,
    string Method,
    FineTuningHyperparameters Hyperparameters,
    int RowTokens,
    double LearningRate,
    IReadOnlyDictionary<string, string> Chosen,
    TrainingDataInfo Training,
    TrainingDataInfo? Validation,
    long Steps,
    long Tokens,
    bool IsCounted,
    TrainingPreviewInfo? Preview,
    IReadOnlyList<string> Warnings,
    bool CanRun,
    IReadOnlyList<DeviceEstimateInfo> Devices
);

/// <summary>A file, counted in tokens of the model.</summary>
/// <param name="TrainedTokens">Those that the loss counts.</param>
/// <param name="LongestTokens">Of the longest sample that was looked at.</param>
/// <param name="Rows">That they are packed into, for one epoch.</param>
public sealed record TrainingDataInfo(
    string File,
    long Samples,
    long Tokens,
    long TrainedTokens,
    int LongestTokens,
    long Rows
);

/// <summary>A sample as the model reads it, its beginning.</summary>
/// <param name="Line">Of the file.</param>
public sealed record TrainingPreviewInfo(
    int Line,
    int Tokens,
    int TrainedTokens,
    IReadOnlyList<TrainingPreviewPart> Parts
);

/// <summary>A stretch of text that is learnt, or only read.</summary>
public sealed record TrainingPreviewPart(string Text, bool IsTrained);

/// <summary>A device and this run.</summary>
/// <param name="Fits">Whether it could run there as things are now.</param>
/// <param name="Reason">Why not, or why it is not certain.</param>
/// <param name="NeededBytes">About; the device looks closer before it begins. Null where nothing trains.</param>
/// <param name="LargestParameters">Weights of the largest usual model that could be trained there in this way; 0: none.</param>
/// <param name="TokensPerSecond">Learnt from, as measured on earlier runs of this base and method there; null: never measured.</param>
/// <param name="Seconds">That the run would take at that pace; null: unknown.</param>
public sealed record DeviceEstimateInfo(
    string Device,
    string? Engine,
    bool Fits,
    string? Reason,
    long MemoryBytes,
    long? NeededBytes,
    long LargestParameters,
    double? TokensPerSecond,
    double? Seconds
);
