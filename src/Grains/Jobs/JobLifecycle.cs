using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Jobs;

/// <summary>
/// The life of a job, driven by the lines of its own log: the scheduler applies a line once it is durable, and reading
/// the log from its start gives the same state.
/// <code>
///                     Blocked            Started            Succeeded
///          ┌────────▶ Blocked   ┌─────────────────▶ Running ─────────▶ Succeeded
///          │             │      │                   │  ▲ ▲│
///          │   Unblocked ▼      │            Paused │  │ └┘ Shard…
///   (none) ───────────▶ Queued ─┘                   ▼  │ Resumed
///          Submitted    │  ▲                      Paused
///                  Held ▼  │ Released
///                       Held ◀── Held ── Blocked
///
///   Failed, Cancelled: from Queued, Blocked, Held, Running and Paused
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
            (JobState.Queued, JobEventKind.Blocked) => Transition<JobState>.To(JobState.Blocked),
            (JobState.Queued or JobState.Blocked, JobEventKind.Held) => Transition<JobState>.To(JobState.Held),
            (JobState.Blocked, JobEventKind.Unblocked) => Transition<JobState>.To(JobState.Queued),
            (JobState.Held, JobEventKind.Released) => Transition<JobState>.To(JobState.Queued),
            (JobState.Running, JobEventKind.Paused) => Transition<JobState>.To(JobState.Paused),
            (JobState.Paused, JobEventKind.Resumed) => Transition<JobState>.To(JobState.Running),
            (JobState.Running, JobEventKind.Succeeded) => Transition<JobState>.To(JobState.Succeeded),
            (
                JobState.Running,
                JobEventKind.ShardStarted
                    or JobEventKind.ShardFinished
                    or JobEventKind.ShardRequeued
                    or JobEventKind.ShardFailed
            ) => Transition<JobState>.To(JobState.Running),
            ({ } active, JobEventKind.Failed) when !IsTerminal(active) => Transition<JobState>.To(JobState.Failed),
            ({ } active, JobEventKind.Cancelled) when !IsTerminal(active) => Transition<JobState>.To(
                JobState.Cancelled
            ),
            _ => Transition<JobState>.Illegal(state),
        };

    /// <summary>Whether a job stays in that state for ever.</summary>
    public static bool IsTerminal(JobState state) =>
        state is JobState.Succeeded or JobState.Failed or JobState.Cancelled;
}
