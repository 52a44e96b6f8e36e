using EgpuFleet.Api;
using EgpuFleet.Cli.Jobs;

namespace EgpuFleet.Cli.Tests;

public sealed class DeviceProgressTests
{
    private readonly DeviceProgress _progress = new();
    private long _sequence;

    [Fact]
    public void A_shard_counts_where_it_finished()
    {
        See("shard_started", 0, "a/cpu0", 10);
        See("shard_started", 1, "b/cpu0", 20);
        See("shard_finished", 1, "b/cpu0", 20);

        Assert.Equal([new("a/cpu0", 1, 0, 0), new("b/cpu0", 0, 1, 20)], _progress.Devices);
    }

    [Fact]
    public void A_shard_of_a_lost_device_counts_where_it_ran_again()
    {
        See("shard_started", 0, "a/cpu0", 10);
        See("shard_requeued", 0, "a/cpu0", 10);
        See("shard_started", 0, "b/cpu0", 10);
        See("shard_finished", 0, "b/cpu0", 10);

        Assert.Equal([new("a/cpu0", 0, 0, 0), new("b/cpu0", 0, 1, 10)], _progress.Devices);
    }

    [Fact]
    public void A_line_that_comes_twice_counts_once()
    {
        var line = Line(1, "shard_finished", 0, "a/cpu0", 10);
        _progress.See(line);
        _progress.See(line);

        Assert.Equal([new("a/cpu0", 0, 1, 10)], _progress.Devices);
    }

    private void See(string type, int shard, string device, int items) =>
        _progress.See(Line(++_sequence, type, shard, device, items));

    private static JobEventInfo Line(long sequence, string type, int shard, string device, int items) =>
        new(sequence, DateTimeOffset.UnixEpoch, type, shard, 1, device, items, null);
}
