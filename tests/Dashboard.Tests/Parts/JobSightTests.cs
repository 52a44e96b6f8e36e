using EgpuFleet.Api;
using EgpuFleet.Dashboard.Jobs;

namespace EgpuFleet.Dashboard.Tests.Parts;

public sealed class JobSightTests
{
    [Fact]
    public void A_line_that_is_replayed_is_kept_once()
    {
        var sight = JobSight.Nothing;
        foreach (var sequence in new[] { 1, 2, 2, 1, 3 })
            sight = sight.Apply(new JobUpdate(null, Samples.Event(sequence, "shard_started", 0, 0, "a/cpu-0")));
        Assert.Equal([1L, 2, 3], sight.Events.Select(line => line.Sequence));
    }

    [Fact]
    public void A_long_log_keeps_its_newest_lines()
    {
        var sight = JobSight.Nothing;
        for (var sequence = 1; sequence <= Limits.Events + 5; sequence++)
            sight = sight.Apply(new JobUpdate(null, Samples.Event(sequence, "shard_started", 0, 0, "a/cpu-0")));
        Assert.Equal(Limits.Events, sight.Events.Count);
        Assert.Equal(6, sight.Events[0].Sequence);
        Assert.Equal(Limits.Events + 5, sight.LastSequence);
    }
}
