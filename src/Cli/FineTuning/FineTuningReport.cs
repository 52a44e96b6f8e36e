using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>A fine-tuning job with its newest checkpoints, as <c>finetune show --json</c> prints it.</summary>
internal sealed record FineTuningReport(FineTuningJobInfo Job, IReadOnlyList<FineTuningCheckpointInfo> Checkpoints)
{
    private const int CheckpointsShown = 10;

    public static async Task<FineTuningReport> ReadAsync(
        FleetClient client,
        string id,
        CancellationToken cancellationToken
    )
    {
        var job = await client.GetFineTuningAsync(id, cancellationToken);
        var page = await client.ListFineTuningCheckpointsAsync(id, null, CheckpointsShown, cancellationToken);
        return new FineTuningReport(job, page.Data);
    }

    /// <summary>How a job that is over has ended, and what comes next.</summary>
    public static void PrintEnd(FleetConsole console, FineTuningJobInfo job)
    {
        console.Line($"{job.Id} {job.Status}.");
        if (job.Error is { } error)
            console.Line($"{error.Message} ({error.Code})");
        if (job.FineTunedModel is { } model)
            console.Line($"Try it: ./fleet submit --model {model} --prompt 'Hello' --output -");
    }

    public static string Metric(FineTuningJobInfo job, string name) =>
        FineTuningText.Figure(job.Egpufleet.Metrics is { } all && all.TryGetValue(name, out var one) ? one : null);

    public void Print(FleetConsole console, DateTimeOffset now)
    {
        var ours = Job.Egpufleet;
        console.Line($"Fine-tuning  {Job.Id}  (job {ours.Job})");
        console.Line($"State        {FineTuningText.Progress(Job, now)}");
        if (Job.Error is { } error)
            console.Line($"Why          {error.Message} ({error.Code})");
        console.Line($"Base         {Job.Model}");
        console.Line($"Result       {ours.Result}{(Job.FineTunedModel is null ? "  (not served yet)" : "")}");
        console.Line($"Data         {Job.TrainingFile}{(Job.ValidationFile is { } held ? $", held out {held}" : "")}");
        var adapter = ours.Rank is { } rank ? $", rank {rank}, alpha {ours.Alpha}" : "";
        console.Line($"Method       {ours.Method}{adapter}");
        console.Line(
            $"Steps        {Job.Hyperparameters.NEpochs} epochs, {Job.Hyperparameters.BatchSize} rows of {ours.RowTokens} tokens a step, rate {ours.LearningRate:0.######}, seed {Job.Seed}"
        );
        if (ours.StartFrom is { } start)
            console.Line($"Begins with  {start}");
        foreach (var (field, why) in ours.Chosen.OrderBy(one => one.Key, StringComparer.Ordinal))
            console.Line($"  {field}: {why}");
        if (Checkpoints.Count == 0)
            return;
        console.Line();
        console.Table(
            ["CHECKPOINT", "STEP", "LOSS", "VALIDATION", "CREATED", "NAME TO SERVE IT BY"],
            Checkpoints.Select(one =>
                (IReadOnlyList<string>)
                    [
                        one.Id,
                        one.StepNumber.ToString(),
                        FineTuningText.Figure(one.Metrics.TrainLoss),
                        FineTuningText.Figure(one.Metrics.ValidLoss),
                        Format.Time(DateTimeOffset.FromUnixTimeSeconds(one.CreatedAt)),
                        one.FineTunedModelCheckpoint,
                    ]
            )
        );
    }
}
