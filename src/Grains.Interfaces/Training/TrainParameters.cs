namespace EgpuFleet.Grains.Interfaces.Training;

/// <summary>What of the model is trained. Stored as its number: append, never renumber.</summary>
public enum TrainingMethod
{
    Lora = 0,
    Full = 1,
}

/// <summary>How the learning rate goes on after its warm-up. Stored as its number: append, never renumber.</summary>
public enum RateSchedule
{
    /// <summary>Half a cosine down to a twentieth of the peak.</summary>
    Cosine = 0,
    Constant = 1,
}

/// <summary>A file of training data by its content.</summary>
/// <param name="Id">As the files API names it.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
[GenerateSerializer, Immutable, Alias("fleet.TrainingFile")]
public sealed record TrainingFile(
    [property: Id(0)] string Id,
    [property: Id(1)] string Sha256,
    [property: Id(2)] long SizeBytes
);

/// <summary>An adapter's shape; see the engine's own words for the same.</summary>
[GenerateSerializer, Immutable, Alias("fleet.AdapterParameters")]
public sealed record AdapterParameters(
    [property: Id(0)] int Rank,
    [property: Id(1)] double Alpha,
    [property: Id(2)] string[] Targets,
    [property: Id(3)] bool FrozenA = false
);

/// <summary>The optimizer and its schedule.</summary>
/// <param name="PeakRate">After warm-up.</param>
/// <param name="WarmUpShare">Of all steps, 0 to 1.</param>
/// <param name="ClipNorm">0: gradients are not clipped.</param>
[GenerateSerializer, Immutable, Alias("fleet.OptimizerParameters")]
public sealed record OptimizerParameters(
    [property: Id(0)] double PeakRate,
    [property: Id(1)] double WarmUpShare,
    [property: Id(2)] RateSchedule Schedule,
    [property: Id(3)] double WeightDecay,
    [property: Id(4)] double ClipNorm
);

/// <summary>A fine-tuning run, resolved: nothing in it is left to a device, so that every device does the same.</summary>
/// <param name="Adapter">Exactly for <see cref="TrainingMethod.Lora"/>.</param>
/// <param name="Epochs">Passes over the data; the last one is cut where <paramref name="MaxSteps"/> says so.</param>
/// <param name="MaxSteps">0: as many as the epochs make.</param>
/// <param name="BatchRows">Rows of one step of the optimizer.</param>
/// <param name="RowTokens">Positions of a row; samples are packed into rows.</param>
/// <param name="Result">Name the result is served by.</param>
/// <param name="Engine">Must train it; null: any that can.</param>
/// <param name="StartFrom">Checkpoint to start from: of another job, or an earlier one; null for none.</param>
/// <param name="EvaluateEverySteps">Between two looks at the validation data.</param>
/// <param name="CheckpointSeconds">At most so long between two checkpoints.</param>
/// <param name="DataParallel">How devices share it; null: it runs on one.</param>
[GenerateSerializer, Immutable, Alias("fleet.TrainParameters")]
public sealed record TrainParameters(
    [property: Id(0)] TrainingMethod Method,
    [property: Id(1)] AdapterParameters? Adapter,
    [property: Id(2)] TrainingFile Training,
    [property: Id(3)] TrainingFile? Validation,
    [property: Id(4)] int Epochs,
    [property: Id(5)] long MaxSteps,
    [property: Id(6)] int BatchRows,
    [property: Id(7)] int RowTokens,
    [property: Id(8)] OptimizerParameters Optimizer,
    [property: Id(9)] long Seed,
    [property: Id(10)] string Result,
    [property: Id(11)] string? Engine = null,
    [property: Id(12)] string? StartFrom = null,
    [property: Id(13)] int EvaluateEverySteps = 50,
    [property: Id(14)] int CheckpointSeconds = 60,
    [property: Id(15)] DataParallelParameters? DataParallel = null
)
{
    /// <summary>What the item of a member is called; the first one sees to the run's end.</summary>
    /// <param name="member">From 0.</param>
    public static string MemberName(int member) => member == 0 ? "run" : $"member-{member}";
}
