using EgpuFleet.Api;

namespace EgpuFleet.Cli.FineTuning;

/// <summary>A fine-tuning job at a moment, with the lines of its story that are new.</summary>
/// <param name="Events">Oldest first.</param>
/// <param name="Checkpoint">Its newest; null before the first.</param>
internal sealed record FineTuningUpdate(
    FineTuningJobInfo Job,
    IReadOnlyList<FineTuningEventInfo> Events,
    FineTuningCheckpointInfo? Checkpoint
);
