using EgpuFleet.Api;

namespace EgpuFleet.TestKit.Fleet.Training;

/// <summary>A worker took the run up.</summary>
/// <param name="Place">In the run's story.</param>
/// <param name="From">Step of the state that it was given.</param>
/// <param name="Furthest">Step that the story had told of before.</param>
public sealed record Resumption(int Place, long From, long Furthest)
{
    /// <summary>Steps that had to be made again.</summary>
    public long LostSteps => Furthest - From;
}

/// <summary>What a run has left: its story and its last state.</summary>
/// <param name="State">SHA-256 of each tensor of the last checkpoint.</param>
/// <param name="Model">SHA-256 of the model that is served; null for none.</param>
public sealed record TrainedRun(
    FineTuningJobInfo Job,
    IReadOnlyList<FineTuningEventInfo> Story,
    IReadOnlyList<CheckpointInfo> Checkpoints,
    IReadOnlyDictionary<string, string> State,
    string? Model
)
{
    private const string GoesOn = "Goes on from the checkpoint of step ";
    private const string Starts = "Starts in worker ";

    /// <summary>The training loss of each step that was told.</summary>
    public SortedDictionary<long, double> Losses { get; } =
        new(
            Story
                .Where(line => line.Data?.ContainsKey("train_loss") == true)
                .ToDictionary(line => (long)line.Data!["step"], line => line.Data!["train_loss"])
        );

    public static async Task<TrainedRun> ReadAsync(
        TrainingRig rig,
        FineTuningJobInfo job,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(rig);
        ArgumentNullException.ThrowIfNull(job);
        var checkpoints = await rig.CheckpointsAsync(job, cancellationToken);
        var models = await rig.Client.ListModelsAsync(cancellationToken);
        return new TrainedRun(
            job,
            await rig.EventsAsync(job.Id, cancellationToken),
            checkpoints,
            checkpoints.Count == 0
                ? new Dictionary<string, string>()
                : await rig.StateAsync(checkpoints[0].Id, cancellationToken),
            models.Data.FirstOrDefault(model => model.Name == job.FineTunedModel)?.Sha256
        );
    }

    /// <summary>Where the run went on from a checkpoint, in the order of its story.</summary>
    public IEnumerable<Resumption> Resumptions()
    {
        var furthest = 0L;
        foreach (var (place, line) in Story.Index())
        {
            if (line.Data is { } figures)
                furthest = Math.Max(furthest, (long)figures["step"]);
            else if (line.Message.StartsWith(GoesOn, StringComparison.Ordinal))
                yield return new Resumption(place, long.Parse(line.Message[GoesOn.Length..].Split(' ')[0]), furthest);
            else if (line.Message.StartsWith(Starts, StringComparison.Ordinal) && furthest > 0)
                yield return new Resumption(place, 0, furthest);
        }
    }

    /// <summary>Where this run and one of the same recipe are not the same, bit for bit; none where they are.</summary>
    public IEnumerable<string> DifferencesTo(TrainedRun other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach (var (step, loss) in other.Losses)
        {
            if (!Losses.TryGetValue(step, out var mine))
                yield return $"step {step} was not told";
            else if (!mine.Equals(loss))
                yield return $"the loss of step {step} is {mine:R}, not {loss:R}";
        }
        foreach (var checkpoint in Checkpoints)
        {
            if (!checkpoint.Metrics["train_loss"].Equals(other.Losses.GetValueOrDefault(checkpoint.Step)))
                yield return $"the checkpoint of step {checkpoint.Step} has another loss than that step";
        }
        if (State.Count == 0 || !State.SequenceEqual(other.State))
            yield return $"the last state differs in {State.Except(other.State).Count()} of {other.State.Count} tensors";
        if (Model is null || Model != other.Model)
            yield return $"the model that is served is {Model ?? "none"}, not {other.Model}";
    }
}
