using System.Globalization;
using EgpuFleet.Api;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>A fine-tuning job in words. Pure.</summary>
internal static class FineTuningText
{
    /// <summary>Where it stands, in one line.</summary>
    public static string Progress(FineTuningJobInfo job, DateTimeOffset now)
    {
        var ours = job.Egpufleet;
        var parts = new List<string>();
        if (ours.Phase is not "running" || ours.Metrics is null)
            parts.Add(Waiting(job));
        if (ours.Metrics is { } figures)
            parts.AddRange(Figures(ours, figures));
        if (job.EstimatedFinish is { } finish)
            parts.Add($"{Duration(DateTimeOffset.FromUnixTimeSeconds(finish) - now)} left");
        return string.Join("  ", parts);
    }

    /// <summary>Its newest checkpoint, in words.</summary>
    public static string Checkpoint(FineTuningCheckpointInfo checkpoint, DateTimeOffset now) =>
        $"checkpoint of step {checkpoint.StepNumber}, {Age(checkpoint, now)} old";

    /// <summary>One line of its story.</summary>
    public static string Line(FineTuningEventInfo line)
    {
        var at = $"{DateTimeOffset.FromUnixTimeSeconds(line.CreatedAt).ToLocalTime():HH:mm:ss}";
        return line.Level == "info" ? $"{at}  {line.Message}" : $"{at}  {line.Level}: {line.Message}";
    }

    /// <summary>Hours, minutes and seconds, never less than none.</summary>
    public static string Duration(TimeSpan time)
    {
        var seconds = (long)Math.Max(0, Math.Round(time.TotalSeconds));
        return seconds >= 3600
            ? Say($"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}")
            : Say($"{seconds / 60}:{seconds % 60:00}");
    }

    public static string Figure(double? value) =>
        value is { } number ? number.ToString("0.0000", CultureInfo.InvariantCulture) : "-";

    private static IEnumerable<string> Figures(FineTuningExtras ours, IReadOnlyDictionary<string, double> figures)
    {
        yield return ours.TotalSteps is { } total ? Say($"step {ours.Step}/{total}") : Say($"step {ours.Step}");
        if (figures.TryGetValue("train_loss", out var training))
            yield return Say($"loss {training:0.0000}");
        if (figures.TryGetValue("valid_loss", out var validation))
            yield return Say($"validation {validation:0.0000}");
        if (figures.TryGetValue("tokens_per_second", out var pace))
            yield return Say($"{pace:#,0} tokens/s");
    }

    private static string Waiting(FineTuningJobInfo job)
    {
        var phase = job.Egpufleet.Phase;
        return job.Egpufleet.Reason is { } why ? $"{phase}: {why.Message} {why.Action}".TrimEnd() : phase;
    }

    private static string Age(FineTuningCheckpointInfo checkpoint, DateTimeOffset now) =>
        Duration(now - DateTimeOffset.FromUnixTimeSeconds(checkpoint.CreatedAt));

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
