using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Postgres.Writing.Statements;

/// <summary>States of a job's dependencies, in the order of its rules, as their rows come in any order.</summary>
internal static class DependencyStates
{
    /// <param name="state">Null for a job that does not exist.</param>
    public static LedgerOutcome Add(LedgerOutcome outcome, int nth, JobState? state)
    {
        var states = (outcome.Dependencies as List<JobState?>) ?? [];
        while (states.Count <= nth)
            states.Add(null);
        states[nth] = state;
        return outcome with { Dependencies = states };
    }
}
