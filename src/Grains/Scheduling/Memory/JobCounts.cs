using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>How many jobs in memory are in each state, kept as they move.</summary>
internal sealed class JobCounts
{
    private readonly int[] counts = new int[Enum.GetValues<JobState>().Length];

    public int this[JobState state] => counts[(int)state];

    /// <summary>A job has come to a state; from another one, or null when it is new here.</summary>
    public void Move(JobState? from, JobState? to)
    {
        if (from is { } before)
            counts[(int)before]--;
        if (to is { } after)
            counts[(int)after]++;
    }
}
