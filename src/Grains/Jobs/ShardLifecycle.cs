using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Jobs;

/// <summary>
/// The life of a shard, driven by the lines of its job's log. The end of the job by failure or cancellation ends its
/// shards too; a job succeeds only after its last shard is done.
/// <code>
///          ShardStarted           ShardFinished
///   (none) ────────────▶ Running ──────────────▶ Done
///                        │  ▲  │  ShardFailed
///          ShardRequeued │  │  └───────────────▶ Failed
///                        ▼  │ ShardStarted
///      or job Paused    Queued                     Job Failed / Cancelled, from Queued or Running ──▶ Cancelled
/// </code>
/// </summary>
public static class ShardLifecycle
{
    /// <summary>The state after an event; <paramref name="state"/> null is a shard that does not exist yet.</summary>
    public static Transition<ShardState> Apply(ShardState? state, JobEventKind @event) =>
        (state, @event) switch
        {
            (null or ShardState.Queued, JobEventKind.ShardStarted) => Transition<ShardState>.To(ShardState.Running),
            (ShardState.Running, JobEventKind.ShardRequeued or JobEventKind.Paused) => Transition<ShardState>.To(
                ShardState.Queued
            ),
            (ShardState.Queued, JobEventKind.Paused) => Transition<ShardState>.To(ShardState.Queued),
            (ShardState.Running, JobEventKind.ShardFinished) => Transition<ShardState>.To(ShardState.Done),
            (ShardState.Running, JobEventKind.ShardFailed) => Transition<ShardState>.To(ShardState.Failed),
            (ShardState.Queued or ShardState.Running, JobEventKind.Failed or JobEventKind.Cancelled) =>
                Transition<ShardState>.To(ShardState.Cancelled),
            // A finished shard is history: the end or pause of its job does not touch it.
            (
                ShardState.Done
                    or ShardState.Failed
                    or ShardState.Cancelled,
                JobEventKind.Failed
                    or JobEventKind.Cancelled
                    or JobEventKind.Paused
            ) => Transition<ShardState>.To(state.Value),
            (ShardState.Done, JobEventKind.Succeeded) => Transition<ShardState>.To(state.Value),
            _ => Transition<ShardState>.Illegal(state),
        };

    /// <summary>Whether a shard stays in that state for ever.</summary>
    public static bool IsTerminal(ShardState state) =>
        state is ShardState.Done or ShardState.Failed or ShardState.Cancelled;
}
