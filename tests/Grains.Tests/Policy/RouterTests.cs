using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
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

        Assert.Equal(Given.DeviceId("calm"), Route(snapshot.Devices));
        Assert.Equal(Given.DeviceId("busy"), Route(snapshot.Devices, Given.DeviceId("calm")));
        Assert.Equal(Given.DeviceId("empty"), Route(snapshot.Devices, Given.DeviceId("calm"), Given.DeviceId("busy")));
    }

    [Fact]
    public void Without_the_model_loaded_one_that_fits_and_runs_no_shard_serves()
    {
        var snapshot = Given.Snapshot([
            Given.Device("fast", tokensPerSecond: 100, leased: true),
            Given.Device("slow", tokensPerSecond: 1),
            Given.Device("small", tokensPerSecond: 500, memoryBytes: 1_000_000),
        ]);

        Assert.Equal(Given.DeviceId("slow"), Route(snapshot.Devices));
    }

    [Fact]
    public void Nothing_to_route_to_is_a_refusal()
    {
        var none = Router.Route([], new RouteRequest(Given.Model(), []));
        Assert.Null(none.Placement);
        Assert.Equal(RefusalCode.NoMatchingDevice, none.Refusal?.Code);

        var huge = Given.Model("huge", weightBytes: 90 * Given.Gigabyte);
        Assert.Equal(
            RefusalCode.ModelTooLarge,
            Router.Route([Given.Device("a")], new RouteRequest(huge, [])).Refusal?.Code
        );
    }

    [Fact]
    public void An_answer_held_to_a_format_goes_where_the_engine_holds_it()
    {
        var slow = Given.Device("slow", tokensPerSecond: 1) with { Engine = "llama.cpp" };
        var fast = Given.Device("fast", tokensPerSecond: 1000) with { Engine = "tinygrad" };
        var held = new RouteRequest(Given.Model(), [], IsSteered: true);

        Assert.Equal(fast.Id, Router.Route([slow, fast], held with { IsSteered = false }).Placement?.Device);
        Assert.Equal(slow.Id, Router.Route([slow, fast], held).Placement?.Device);
        var none = Router.Route([slow with { Ready = false }, fast], held).Refusal;
        Assert.Equal(RefusalCode.NoMatchingDevice, none?.Code);
        Assert.Contains("llama.cpp", none?.Message, StringComparison.Ordinal);
        var full = Router.Route(
            [slow, fast],
            held with
            {
                Model = Given.Model("huge", weightBytes: 90 * Given.Gigabyte),
            }
        );
        Assert.Equal(RefusalCode.ModelTooLarge, full.Refusal?.Code);
    }

    private static DeviceId? Route(ImmutableArray<DeviceSlot> devices, params DeviceId[] except) =>
        Router.Route(devices, new RouteRequest(Given.Model(), except)).Placement?.Device;
}
