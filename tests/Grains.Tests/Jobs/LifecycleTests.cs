using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Jobs;

namespace EgpuFleet.Grains.Tests.Jobs;

public sealed class LifecycleTests
{
    private static readonly JobEventKind[] ShardEvents =
    [
        JobEventKind.ShardStarted,
        JobEventKind.ShardFinished,
        JobEventKind.ShardRequeued,
        JobEventKind.ShardFailed,
    ];

    [Fact]
    public void Every_state_of_a_job_answers_every_event()
    {
        var legal = new Dictionary<(JobState?, JobEventKind), JobState>
        {
            [(null, JobEventKind.Submitted)] = JobState.Queued,
            [(JobState.Queued, JobEventKind.Started)] = JobState.Running,
            [(JobState.Queued, JobEventKind.Held)] = JobState.Held,
            [(JobState.Queued, JobEventKind.Blocked)] = JobState.Blocked,
            [(JobState.Blocked, JobEventKind.Unblocked)] = JobState.Queued,
            [(JobState.Blocked, JobEventKind.Held)] = JobState.Held,
            [(JobState.Held, JobEventKind.Released)] = JobState.Queued,
            [(JobState.Running, JobEventKind.Paused)] = JobState.Paused,
            [(JobState.Paused, JobEventKind.Resumed)] = JobState.Running,
            [(JobState.Running, JobEventKind.Succeeded)] = JobState.Succeeded,
        };
        foreach (
            var active in new[] { JobState.Queued, JobState.Blocked, JobState.Held, JobState.Running, JobState.Paused }
        )
        {
            legal[(active, JobEventKind.Failed)] = JobState.Failed;
            legal[(active, JobEventKind.Cancelled)] = JobState.Cancelled;
        }
        foreach (var @event in ShardEvents)
            legal[(JobState.Running, @event)] = JobState.Running;
        Walk(legal, JobLifecycle.Apply);
    }

    [Fact]
    public void Every_state_of_a_shard_answers_every_event()
    {
        var legal = new Dictionary<(ShardState?, JobEventKind), ShardState>
        {
            [(null, JobEventKind.ShardStarted)] = ShardState.Running,
            [(ShardState.Queued, JobEventKind.ShardStarted)] = ShardState.Running,
            [(ShardState.Running, JobEventKind.ShardRequeued)] = ShardState.Queued,
            [(ShardState.Running, JobEventKind.ShardFinished)] = ShardState.Done,
            [(ShardState.Running, JobEventKind.ShardFailed)] = ShardState.Failed,
            [(ShardState.Done, JobEventKind.Succeeded)] = ShardState.Done,
            [(ShardState.Queued, JobEventKind.Paused)] = ShardState.Queued,
            [(ShardState.Running, JobEventKind.Paused)] = ShardState.Queued,
        };
        foreach (var ended in Enum.GetValues<ShardState>().Where(ShardLifecycle.IsTerminal))
            legal[(ended, JobEventKind.Paused)] = ended;
        foreach (var ending in new[] { JobEventKind.Failed, JobEventKind.Cancelled })
        {
            legal[(ShardState.Queued, ending)] = ShardState.Cancelled;
            legal[(ShardState.Running, ending)] = ShardState.Cancelled;
            foreach (var ended in Enum.GetValues<ShardState>().Where(ShardLifecycle.IsTerminal))
                legal[(ended, ending)] = ended;
        }
        Walk(legal, ShardLifecycle.Apply);
    }

    [Fact]
    public void Nothing_leads_out_of_a_terminal_state()
    {
        foreach (var @event in Enum.GetValues<JobEventKind>())
        {
            foreach (var state in Enum.GetValues<JobState>().Where(JobLifecycle.IsTerminal))
                Assert.Equal(state, JobLifecycle.Apply(state, @event).State);
            foreach (var state in Enum.GetValues<ShardState>().Where(ShardLifecycle.IsTerminal))
                Assert.Equal(state, ShardLifecycle.Apply(state, @event).State);
        }
    }

    private static void Walk<TState>(
        Dictionary<(TState?, JobEventKind), TState> legal,
        Func<TState?, JobEventKind, Transition<TState>> apply
    )
        where TState : struct, Enum
    {
        foreach (var state in Enum.GetValues<TState>().Cast<TState?>().Prepend(null))
        {
            foreach (var @event in Enum.GetValues<JobEventKind>())
            {
                var transition = apply(state, @event);
                var isLegal = legal.TryGetValue((state, @event), out var next);
                Assert.True(transition.Legal == isLegal, $"{state} × {@event} is legal: {transition.Legal}");
                Assert.Equal(isLegal ? next : state, transition.State);
            }
        }
    }
}
