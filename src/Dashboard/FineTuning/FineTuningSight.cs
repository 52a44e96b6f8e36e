using System.Collections.Immutable;
using EgpuFleet.Api;
using EgpuFleet.Dashboard.Gateway;

namespace EgpuFleet.Dashboard.FineTuning;

/// <summary>What is known of one fine-tuning job; each reading makes the next one.</summary>
/// <param name="Story">The newest <see cref="Limits.Events"/> lines for people, oldest first.</param>
/// <param name="Points">Figures by step, at most <see cref="Limits.CurvePoints"/>.</param>
/// <param name="Checkpoints">The newest, newest first.</param>
/// <param name="Served">Names of registered models that belong to it.</param>
/// <param name="Said">What came of the last thing that was asked for; null: nothing was.</param>
/// <param name="Missing">True when the API says that there is no such job.</param>
public sealed record FineTuningSight(
    FineTuningJobInfo? Job,
    ImmutableList<FineTuningEventInfo> Story,
    ImmutableSortedDictionary<long, LossPoint> Points,
    IReadOnlyList<CheckpointInfo> Checkpoints,
    IReadOnlySet<string> Served,
    string? LastEvent,
    string? Said,
    Trouble? Trouble,
    bool Missing
)
{
    private const string Before = "Before: ";
    private const string After = "After: ";

    public static FineTuningSight Nothing { get; } =
        new(
            null,
            [],
            ImmutableSortedDictionary<long, LossPoint>.Empty,
            [],
            ImmutableHashSet<string>.Empty,
            null,
            null,
            null,
            false
        );

    public bool IsTerminal => Missing || (Job is { } job && JobInfo.IsTerminal(job.Status));

    /// <summary>The sample continued by the model before the first step and after the last; null where it was not told.</summary>
    public (string? Before, string? After) Samples => (Told(Before), Told(After));

    /// <summary>Takes a page of its story.</summary>
    public FineTuningSight Apply(IReadOnlyList<FineTuningEventInfo> page)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (page.Count == 0)
            return this;
        var story = Story.AddRange(page.Where(line => line.Type != "metrics"));
        var points = Points;
        foreach (var line in page)
        {
            if (PointOf(line) is { } point)
                points = points.SetItem(point.Step, point);
        }
        // Every second one still makes the same line.
        while (points.Count > Limits.CurvePoints)
            points = points.Where((_, index) => index % 2 == 0).ToImmutableSortedDictionary();
        return this with
        {
            Story = story.Count > Limits.Events ? story.RemoveRange(0, story.Count - Limits.Events) : story,
            Points = points,
            LastEvent = page[^1].Id,
        };
    }

    private string? Told(string when) =>
        Story.FindLast(line => line.Message.StartsWith(when, StringComparison.Ordinal))?.Message[when.Length..];

    private static LossPoint? PointOf(FineTuningEventInfo line) =>
        line.Data is { } data && data.TryGetValue("step", out var step) && data.TryGetValue("train_loss", out var loss)
            ? new LossPoint((long)step, loss, data.TryGetValue("valid_loss", out var held) ? held : null)
            : null;
}
