using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Jobs;

/// <summary>
/// The life of a job, driven by the lines of its own log: the scheduler applies a line once it is durable, and reading
/// the log from its start gives the same state.
/// <code>
///          Submitted        Started            Succeeded
///   (none) ────────▶ Queued ───────▶ Running ───────────▶ Succeeded
///                      │               │  ▲ │
///                      │ Failed        │  └─┘ Shard…      Failed
///                      ├───────────────┼────────────────▶ Failed
///                      │ Cancelled     │ Cancelled
///                      └───────────────┴────────────────▶ Cancelled
/// </code>
/// </summary>
public static class JobLifecycle
{
    /// <summary>The state after an event; <paramref name="state"/> null is a job that does not exist yet.</summary>
    public static Transition<JobState> Apply(JobState? state, JobEventKind @event) =>
        (state, @event) switch
        {
            (null, JobEventKind.Submitted) => Transition<JobState>.To(JobState.Queued),
            (JobState.Queued, JobEventKind.Started) => Transition<JobState>.To(JobState.Running),
            (JobState.Queued or JobState.Running, JobEventKind.Failed) => Transition<JobState>.To(JobState.Failed),
            (JobState.Queued or JobState.Running, JobEventKind.Cancelled) => Transition<JobState>.To(
                JobState.Cancelled
            ),
            (JobState.Running, JobEventKind.Succeeded) => Transition<JobState>.To(JobState.Succeeded),
            (
                JobState.Running,
                JobEventKind.ShardStarted
                    or JobEventKind.ShardFinished
                    or JobEventKind.ShardRequeued
                    or JobEventKind.ShardFailed
            ) => Transition<JobState>.To(JobState.Running),
            _ => Transition<JobState>.Illegal(state),
        };

    /// <summary>Whether a job stays in that state for ever.</summary>
    public static bool IsTerminal(JobState state) =>
        state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}
