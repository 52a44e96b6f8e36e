using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

public sealed class RouterTests
{
    [Fact]
    public void A_device_with_the_model_loaded_and_least_to_do_serves()
    {
        var snapshot = Given.Snapshot([
            Given.Device("empty"),
            Given.Device("busy", loaded: ["sha-small"], active: 3),
            Given.Device("calm", loaded: ["sha-small"], active: 1, leased: true),
            Given.Device("gone", loaded: ["sha-small"], ready: false),
        ]);

        Assert.Equal(Given.DeviceId("calm"), Router.Route(snapshot.Devices, Given.Model(), []).Device);
        Assert.Equal(
            Given.DeviceId("busy"),
            Router.Route(snapshot.Devices, Given.Model(), [Given.DeviceId("calm")]).Device
        );
        Assert.Equal(
            Given.DeviceId("empty"),
            Router.Route(snapshot.Devices, Given.Model(), [Given.DeviceId("calm"), Given.DeviceId("busy")]).Device
        );
    }

    [Fact]
    public void Without_the_model_loaded_one_that_fits_and_runs_no_shard_serves()
    {
        var snapshot = Given.Snapshot([
            Given.Device("fast", tokensPerSecond: 100, leased: true),
            Given.Device("slow", tokensPerSecond: 1),
            Given.Device("small", tokensPerSecond: 500, memoryBytes: 1_000_000),
        ]);

        Assert.Equal(Given.DeviceId("slow"), Router.Route(snapshot.Devices, Given.Model(), []).Device);
    }

    [Fact]
    public void Nothing_to_route_to_is_a_refusal()
    {
        var none = Router.Route([], Given.Model(), []);
        Assert.Null(none.Device);
        Assert.Equal(RefusalCode.NoMatchingDevice, none.Refusal?.Code);

        var huge = Given.Model("huge", weightBytes: 90 * Given.Gigabyte);
        Assert.Equal(RefusalCode.ModelTooLarge, Router.Route([Given.Device("a")], huge, []).Refusal?.Code);
    }
}
