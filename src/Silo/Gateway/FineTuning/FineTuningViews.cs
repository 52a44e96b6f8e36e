using System.Globalization;
using EgpuFleet.Api;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.Native;

namespace EgpuFleet.Silo.Gateway.FineTuning;

/// <summary>All that is known of one job, before it is shown.</summary>
/// <param name="Metrics">Of its last steps, newest first.</param>
/// <param name="IsServed">Its result is a registered model.</param>
/// <param name="Failed">The result that says why it failed as a run; null otherwise.</param>
internal sealed record FineTuningPicture(
    FineTuningRun Run,
    JobRecord Record,
    Refusal? Waits,
    IReadOnlyList<FineTuningEvent> Metrics,
    bool IsServed,
    ItemResult? Failed
);

/// <summary>Fine-tuning as OpenAI's clients read it. Pure.</summary>
internal static class FineTuningViews
{
    private const string TotalSteps = "total_steps";
    private const string Tokens = "tokens";

    public static FineTuningJobInfo Show(FineTuningPicture job, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        var (record, ask) = (job.Record, job.Run.Ask);
        var train = record.Spec.Train ?? throw new InvalidOperationException($"{record.Spec.Id} trains nothing.");
        var used = new FineTuningHyperparameters(train.Epochs, train.BatchRows, ask.LearningRateMultiplier);
        var status = StatusOf(job);
        return new FineTuningJobInfo(
            FineTuningIds.Of(record.Spec.Id),
            "fine_tuning.job",
            record.CreatedAt.ToUnixTimeSeconds(),
            record.FinishedAt?.ToUnixTimeSeconds(),
            status == "running" ? Finish(job.Metrics, now)?.ToUnixTimeSeconds() : null,
            status == "failed" ? ErrorOf(job) : null,
            status == "succeeded" && job.IsServed ? train.Result : null,
            used,
            record.Spec.Model?.Name ?? string.Empty,
            job.Run.Tenant.Value,
            [],
            status,
            Newest(job.Metrics, Tokens) is { } tokens ? (long)tokens : null,
            train.Training.Id,
            train.Validation?.Id,
            [],
            train.Seed,
            new FineTuningMethod("supervised", new SupervisedFineTuning(used)),
            job.Run.Metadata,
            ask.Suffix,
            Extras(job, train)
        );
    }

    public static FineTuningEventInfo Show(FineTuningEvent line, JobId job)
    {
        ArgumentNullException.ThrowIfNull(line);
        var (level, message) = line.Note is { } note ? Words(note) : Words(line.Line!, job);
        return new FineTuningEventInfo(
            FineTuningIds.Of(line.Id),
            "fine_tuning.job.event",
            line.At.ToUnixTimeSeconds(),
            level,
            message,
            line.Note is { Metrics: not null } ? "metrics" : "message",
            line.Note is { Metrics: { } figures } told ? WithStep(figures, told.Step) : null
        );
    }

    public static FineTuningCheckpointInfo Show(CheckpointRecord checkpoint, JobRecord job)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(job);
        return new FineTuningCheckpointInfo(
            FineTuningIds.Of(checkpoint.Id),
            "fine_tuning.job.checkpoint",
            checkpoint.CompletedAt.ToUnixTimeSeconds(),
            $"{job.Spec.Train?.Result}:ckpt-step-{checkpoint.Step.ToString(CultureInfo.InvariantCulture)}",
            FineTuningIds.Of(job.Spec.Id),
            new FineTuningCheckpointMetrics(
                checkpoint.Step,
                Figure(checkpoint.Metrics, "train_loss"),
                Figure(checkpoint.Metrics, "valid_loss")
            ),
            checkpoint.Step
        );
    }

    /// <summary>When the last steps are done at the pace of those before; null while there is no pace.</summary>
    public static DateTimeOffset? Finish(IReadOnlyList<FineTuningEvent> newestFirst, DateTimeOffset now)
    {
        if (newestFirst.Count < 2 || Newest(newestFirst, TotalSteps) is not { } total)
            return null;
        var (last, first) = (newestFirst[0], newestFirst[^1]);
        var (steps, time) = (last.Note!.Step - first.Note!.Step, last.At - first.At);
        if (steps <= 0 || time <= TimeSpan.Zero)
            return null;
        var left = Math.Max(0, total - last.Note.Step) * (time.TotalSeconds / steps);
        return left < TimeSpan.FromDays(3650).TotalSeconds ? now + TimeSpan.FromSeconds(left) : null;
    }

    private static FineTuningExtras Extras(FineTuningPicture job, TrainParameters train)
    {
        var spec = job.Record.Spec;
        return new FineTuningExtras(
            spec.Id.ToString(),
            JobViews.Word(job.Record.State),
            job.Waits is null ? null : JobViews.Show(job.Waits),
            JobViews.Word(train.Method),
            train.Adapter?.Rank,
            train.Adapter?.Alpha,
            train.Adapter?.Targets,
            train.RowTokens,
            train.Optimizer.PeakRate,
            train.MaxSteps,
            train.Engine,
            DeviceWords.Of(spec.Rules.Devices?.Require),
            DeviceWords.Of(spec.Rules.Devices?.Prefer),
            train.StartFrom,
            spec.Priority,
            train.Result,
            job.Metrics.Count > 0 ? job.Metrics[0].Note!.Step : 0,
            Newest(job.Metrics, TotalSteps) is { } total ? (long)total : null,
            job.Metrics.Count > 0 ? Latest(job.Metrics) : null,
            job.Run.Ask.Chosen
        );
    }

    private static string StatusOf(FineTuningPicture job) =>
        job.Record.State switch
        {
            JobState.Running => "running",
            JobState.Succeeded => job.Failed is null ? "succeeded" : "failed",
            JobState.Failed => "failed",
            JobState.Cancelled => "cancelled",
            // OpenAI's statuses know no pause: our phase does.
            _ => "queued",
        };

    /// <summary>Where the work failed, the device's own code; else how the job ended.</summary>
    private static FineTuningErrorInfo ErrorOf(FineTuningPicture job)
    {
        if (job.Failed is { } result)
            return new FineTuningErrorInfo(result.ErrorCode ?? "failed", result.ErrorMessage ?? string.Empty, null);
        if (job.Record.End is not { } end)
            return new FineTuningErrorInfo("failed", string.Empty, null);
        return
            end.Code is JobEndCode.WorkFailed or JobEndCode.RetriesExhausted
            && FailureReason.Read(end.Message) is { } why
            ? new FineTuningErrorInfo(why.Code, why.Message, null)
            : new FineTuningErrorInfo(JobViews.Word(end.Code), end.Message, null);
    }

    private static (string Level, string Message) Words(TrainingNote note)
    {
        if (note.Metrics is not { } figures)
            return (note.Kind == TrainingNoteKind.Warning ? "warn" : "info", note.Text ?? string.Empty);
        var step = Figure(figures, TotalSteps) is { } total
            ? string.Create(CultureInfo.InvariantCulture, $"Step {note.Step}/{total}")
            : string.Create(CultureInfo.InvariantCulture, $"Step {note.Step}");
        var parts = new List<string>(2);
        if (Figure(figures, "train_loss") is { } training)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"training loss={training:0.0000}"));
        if (Figure(figures, "valid_loss") is { } validation)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"validation loss={validation:0.0000}"));
        return ("info", parts.Count == 0 ? step : $"{step}: {string.Join(", ", parts)}");
    }

    private static (string Level, string Message) Words(JobEvent line, JobId job) =>
        line.Kind switch
        {
            JobEventKind.Submitted => ("info", $"Created fine-tuning job: {FineTuningIds.Of(job)}"),
            JobEventKind.Started => ("info", "Fine-tuning job started"),
            JobEventKind.ShardStarted when line.Epoch > 1 => ("info", $"Goes on on {line.Device}{Because(line)}"),
            JobEventKind.ShardStarted => ("info", $"Runs on {line.Device}{Because(line)}"),
            JobEventKind.ShardFinished => ("info", $"{line.Device} has finished"),
            JobEventKind.ShardRequeued => ("warn", $"{line.Device} stopped{Because(line)}"),
            JobEventKind.ShardFailed => ("error", $"{line.Device} failed{Because(line)}"),
            JobEventKind.Succeeded => ("info", "The job has successfully completed"),
            JobEventKind.Failed => ("error", $"The job failed{Because(line)}"),
            JobEventKind.Cancelled => ("warn", "The job was cancelled"),
            JobEventKind.Paused => ("info", "The job was paused"),
            JobEventKind.Resumed => ("info", "The job was resumed"),
            _ => ("info", $"The job is {JobViews.Word(line.Kind)}"),
        };

    private static string Because(JobEvent line) => line.Message is { Length: > 0 } why ? $": {why}" : string.Empty;

    private static Dictionary<string, double> WithStep(IReadOnlyDictionary<string, double> figures, long step) =>
        new(figures, StringComparer.Ordinal) { ["step"] = step };

    /// <summary>The last value of each figure: not every step looks at the validation data.</summary>
    private static Dictionary<string, double> Latest(IReadOnlyList<FineTuningEvent> newestFirst)
    {
        var latest = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (name, value) in newestFirst.SelectMany(line => line.Note!.Metrics!))
            latest.TryAdd(name, value);
        return latest;
    }

    private static double? Newest(IReadOnlyList<FineTuningEvent> newestFirst, string name) =>
        newestFirst.Select(line => Figure(line.Note!.Metrics!, name)).FirstOrDefault(value => value is not null);

    private static double? Figure(IReadOnlyDictionary<string, double> figures, string name) =>
        figures.TryGetValue(name, out var value) ? value : null;
}
