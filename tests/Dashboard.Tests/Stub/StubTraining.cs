using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Tests.Stub;

/// <summary>One fine-tuning of the stub, with its story and its checkpoints.</summary>
public sealed class StubTraining(FineTuningJobInfo info)
{
    private readonly Lock gate = new();
    private readonly List<FineTuningEventInfo> story = [];

    public FineTuningJobInfo Info { get; set; } = info;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<CheckpointInfo> Checkpoints { get; set; } = [];

    public void Say(string message, string level = "info") => Add(message, level, null);

    public void Step(long step, double loss, double? validation = null)
    {
        var data = new Dictionary<string, double> { ["step"] = step, ["train_loss"] = loss };
        if (validation is { } held)
            data["valid_loss"] = held;
        Add($"Step {step}", "info", data);
    }

    /// <summary>A page, oldest first.</summary>
    public Page<FineTuningEventInfo> Read(string? after, int limit)
    {
        lock (gate)
        {
            var rest = story.Skip(after is null ? 0 : story.FindIndex(line => line.Id == after) + 1).ToList();
            List<FineTuningEventInfo> page = [.. rest.Take(limit)];
            return new("list", page, page.FirstOrDefault()?.Id, page.LastOrDefault()?.Id, rest.Count > limit);
        }
    }

    private void Add(string message, string level, Dictionary<string, double>? data)
    {
        lock (gate)
        {
            story.Add(
                new FineTuningEventInfo(
                    $"ftevent-n{story.Count}",
                    "fine_tuning.job.event",
                    TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
                    level,
                    message,
                    data is null ? "message" : "metrics",
                    data
                )
            );
        }
    }
}
