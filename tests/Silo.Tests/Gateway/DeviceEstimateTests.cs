using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training;
using EgpuFleet.Silo.Gateway.FineTuning.Estimate;

namespace EgpuFleet.Silo.Tests.Gateway;

/// <summary>Which devices fit a run, and for how long it would keep them.</summary>
public sealed class DeviceEstimateTests
{
    private const long GB = 1_000_000_000;

    private static readonly RunWish Wish = new(
        TrainingMethod.Lora,
        null,
        null,
        16,
        512,
        1,
        new TrainingShape(8 * GB, TrainableSize.FourBits, 32, 4096, 14336, 1024),
        1_000_000
    );

    [Fact]
    public void A_device_that_fits_and_was_measured_comes_first_with_its_time()
    {
        var devices = Of(
            Wish,
            Device("small", 4 * GB),
            Device("unmeasured", 24 * GB),
            Device("measured", 24 * GB),
            Device("deaf", 24 * GB, engine: null)
        );

        Assert.Equal(["mini/measured", "mini/unmeasured"], devices.Where(one => one.Fits).Select(one => one.Device));
        Assert.Equal((2_000d, 500d), (devices[0].TokensPerSecond, devices[0].Seconds));
        Assert.Null(devices[1].Seconds);
        Assert.StartsWith(
            "It has too little memory",
            devices.Single(one => one.Device == "mini/small").Reason,
            StringComparison.Ordinal
        );
        Assert.StartsWith(
            "It does not train",
            devices.Single(one => one.Device == "mini/deaf").Reason,
            StringComparison.Ordinal
        );
        Assert.Equal(35, devices[0].LargestParameters / GB);
    }

    [Fact]
    public void An_engine_a_kind_or_a_method_that_it_lacks_is_said()
    {
        Assert.Equal("It trains with tinygrad, not torch.", Only(Wish with { Engine = "torch" }));
        Assert.Equal("It is no device of the kind cpu.", Only(Wish with { Require = DeviceClass.Cpu }));
        Assert.Equal("tinygrad trains adapters (method lora) only.", Only(Wish with { Method = TrainingMethod.Full }));
        Assert.Equal(
            "It is draining now.",
            Of(Wish, Device("a", 24 * GB, state: DeviceState.Draining)).Single().Reason
        );

        static string? Only(RunWish wish) => Of(wish, Device("a", 24 * GB)).Single().Reason;
    }

    private static IReadOnlyList<Api.DeviceEstimateInfo> Of(RunWish wish, params DeviceStatus[] devices) =>
        DeviceEstimates.Of(
            [new NodeView(new NodeId("mini"), NodeState.Ready, null, null, devices, [])],
            wish,
            new Dictionary<DeviceId, double> { [new DeviceId(new NodeId("mini"), "measured")] = 2_000 }
        );

    private static DeviceStatus Device(
        string name,
        long memory,
        string? engine = "tinygrad",
        DeviceState state = DeviceState.Ready
    ) =>
        new(
            new DeviceFacts(
                new DeviceId(new NodeId("mini"), name),
                DeviceKind.ExternalGpu,
                name,
                "tinygrad",
                1,
                memory,
                TrainEngine: engine
            ),
            state,
            null,
            1,
            0,
            0,
            [],
            [],
            0
        );
}
