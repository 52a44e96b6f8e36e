using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Jobs;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>What a job's dependencies mean for it.</summary>
internal enum DependencyVerdict
{
    /// <summary>Every one has ended as it must.</summary>
    Met,

    /// <summary>One has not ended.</summary>
    Waiting,

    /// <summary>One has ended in a way that it must not.</summary>
    Failed,
}

/// <summary>Which jobs wait for which others to end, and what is known of those.</summary>
internal sealed class DependencyIndex
{
    private readonly Dictionary<JobId, HashSet<JobId>> dependents = [];
    private readonly Dictionary<JobId, (JobDependency Dependency, JobState? State)[]> dependencies = [];

    /// <summary>Jobs that wait for others.</summary>
    public IReadOnlyList<JobId> All => [.. dependencies.Keys];

    /// <summary>Enters a job, or enters it anew.</summary>
    /// <param name="on">Its dependencies with their states as the ledger told them.</param>
    public void Add(JobId job, (JobDependency Dependency, JobState? State)[] on)
    {
        Remove(job);
        dependencies.Add(job, on);
        foreach (var (dependency, state) in on)
        {
            if (HasEnded(state))
                continue;
            if (!dependents.TryGetValue(dependency.Job, out var waiting))
                dependents.Add(dependency.Job, waiting = []);
            waiting.Add(job);
        }
    }

    /// <summary>Enters a job anew, with what the ledger says of its dependencies now.</summary>
    public void SetStates(JobId job, IReadOnlyList<JobState?> states)
    {
        if (dependencies.TryGetValue(job, out var on) && on.Length == states.Count)
            Add(job, [.. on.Select((one, i) => (one.Dependency, states[i]))]);
    }

    /// <summary>The job waits no more.</summary>
    public void Remove(JobId job)
    {
        if (!dependencies.Remove(job, out var on))
            return;
        foreach (var (dependency, _) in on)
        {
            if (dependents.TryGetValue(dependency.Job, out var waiting) && waiting.Remove(job) && waiting.Count == 0)
                dependents.Remove(dependency.Job);
        }
    }

    /// <summary>A job has ended: those that waited for it.</summary>
    public IReadOnlyCollection<JobId> End(JobId job, JobState state)
    {
        if (!dependents.Remove(job, out var waiting))
            return [];
        foreach (var dependent in waiting)
        {
            var on = dependencies[dependent];
            for (var i = 0; i < on.Length; i++)
            {
                if (on[i].Dependency.Job == job)
                    on[i].State = state;
            }
        }
        return waiting;
    }

    /// <summary>What the dependencies of a job mean for it, and which of them says so.</summary>
    public (DependencyVerdict Verdict, JobId? Because) Judge(JobId job)
    {
        JobId? open = null;
        foreach (var (dependency, state) in dependencies.GetValueOrDefault(job) ?? [])
        {
            if (!HasEnded(state))
                open ??= dependency.Job;
            else if (dependency.Condition == DependencyCondition.AfterOk && state != JobState.Succeeded)
                return (DependencyVerdict.Failed, dependency.Job);
        }
        return open is null ? (DependencyVerdict.Met, null) : (DependencyVerdict.Waiting, open);
    }

    private static bool HasEnded(JobState? state) => state is { } known && JobLifecycle.IsTerminal(known);
}
