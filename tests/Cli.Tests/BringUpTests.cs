using EgpuFleet.Api;
using EgpuFleet.Cli.Verbs;

namespace EgpuFleet.Cli.Tests;

/// <summary>How <c>fleet devices</c> tells what a device does before it can compute.</summary>
public sealed class BringUpTests
{
    [Fact]
    public void Bytes_and_time_are_told_where_they_are_known() =>
        Assert.Equal(
            "fetching big: 30 s, 1.0 GiB of 4.0 GiB, about 90 s left",
            FleetVerbs.Words(new BringUpInfo("fetching big", 30, 1L << 30, 4L << 30, 89.5))
        );

    [Fact]
    public void Nothing_is_made_up() =>
        Assert.Equal(
            "opening the device: 12 s",
            FleetVerbs.Words(new BringUpInfo("opening the device", 12.4, null, null, null))
        );
}
