using EgpuFleet.Api;
using EgpuFleet.Cli.Verbs;

namespace EgpuFleet.Cli.Tests;

/// <summary>What a person is told of a pulled cable that was only played.</summary>
public sealed class RehearsalWatchTests
{
    private static readonly RunningShard Lost = new("job_1", 3, 1);

    [Fact]
    public void The_report_says_when_the_lease_went_where_the_work_goes_on_and_when_the_device_was_back()
    {
        var watch = new RehearsalWatch(Device("a/gpu0", "ready", Lost), 5);
        Assert.Empty(watch.See([Device("a/gpu0", "ready", Lost)], 0.1));
        Assert.Single(watch.See([Device("a/gpu0", "offline")], 0.3));
        Assert.Single(
            watch.See([Device("a/gpu0", "offline"), Device("b/cpu0", "ready", Lost with { Epoch = 2 })], 0.6)
        );
        Assert.False(watch.IsOver);
        Assert.Empty(watch.See([Device("a/gpu0", "starting")], 5.2));
        Assert.Single(watch.See([Device("a/gpu0", "ready")], 6.8));
        Assert.True(watch.IsOver);
        Assert.Equal((0.3, 6.8), (watch.Report.RevokedAfterSeconds, watch.Report.BackAfterSeconds));
        Assert.Equal(new ResumedShard("job_1", 3, "b/cpu0", 0.6), Assert.Single(watch.Report.Shards));
    }

    [Fact]
    public void What_was_not_seen_is_not_claimed()
    {
        var watch = new RehearsalWatch(Device("a/gpu0", "ready", Lost), 5);
        // The same epoch elsewhere is not a resumption, and a fleet that does not list the device says nothing.
        Assert.Empty(watch.See([Device("b/cpu0", "ready", Lost)], 0.2));
        Assert.False(watch.IsBack);
        Assert.Equal((null, null), (watch.Report.RevokedAfterSeconds, watch.Report.BackAfterSeconds));
        Assert.Null(Assert.Single(watch.Report.Shards).On);
    }

    private static DeviceInfo Device(string id, string state, params RunningShard[] shards) =>
        new(id, id.Split('/')[0], "cpu", "cpu", "llama.cpp", state, null, 1, 1, 0, 0, [], shards, 0, 1, []);
}
