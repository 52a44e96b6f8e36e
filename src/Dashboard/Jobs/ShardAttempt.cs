using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Jobs;

/// <summary>How one attempt at a shard ended, or that it has not.</summary>
public enum AttemptOutcome
{
    Running,
    Finished,
    Requeued,
    Failed,
    Stopped,
}

/// <summary>One try of one shard on one device, from its start to its end.</summary>
/// <param name="Epoch">1 at the first try.</param>
/// <param name="EndedAt">Null while it runs.</param>
public sealed record ShardAttempt(
    int Shard,
    int Epoch,
    string Device,
    DateTimeOffset StartedAt,
    DateTimeOffset? EndedAt,
    AttemptOutcome Outcome,
    int? ItemCount
)
{
    /// <summary>The attempts that a job's log tells of, in the order they started.</summary>
    public static IReadOnlyList<ShardAttempt> From(IEnumerable<JobEventInfo> events)
    {
        var attempts = new List<ShardAttempt>();
        foreach (var line in events)
        {
            if (line is { Type: "shard_started", Shard: { } started, Device: { } device })
                attempts.Add(
                    new(started, line.Epoch ?? 1, device, line.At, null, AttemptOutcome.Running, line.ItemCount)
                );
            else if (line is { Type: "shard_finished", Shard: { } finished })
                Close(attempts, finished, line, AttemptOutcome.Finished);
            else if (line is { Type: "shard_requeued", Shard: { } requeued })
                Close(attempts, requeued, line, AttemptOutcome.Requeued);
            else if (line is { Type: "shard_failed", Shard: { } failed })
                Close(attempts, failed, line, AttemptOutcome.Failed);
            else if (JobInfo.IsTerminal(line.Type))
                CloseAll(attempts, line);
        }
        return attempts;
    }

    private static void Close(List<ShardAttempt> attempts, int shard, JobEventInfo line, AttemptOutcome outcome)
    {
        var index = attempts.FindLastIndex(attempt => attempt.Shard == shard && attempt.EndedAt is null);
        if (index >= 0)
            attempts[index] = attempts[index] with { EndedAt = line.At, Outcome = outcome };
    }

    private static void CloseAll(List<ShardAttempt> attempts, JobEventInfo line)
    {
        for (var i = 0; i < attempts.Count; i++)
        {
            if (attempts[i].EndedAt is null)
                attempts[i] = attempts[i] with { EndedAt = line.At, Outcome = AttemptOutcome.Stopped };
        }
    }
}
