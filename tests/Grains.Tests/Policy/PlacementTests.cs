using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>Where one request goes by what was measured, and by what its owner asked for.</summary>
public sealed class PlacementTests
{
    private const string Model = "sha-small";

    // Computes fast and starts each kernel slowly: wins on prompts, loses on answers.
    private static readonly DeviceSlot External = Measured(
        "egpu",
        DeviceKind.ExternalGpu,
        new DeviceSpeed(
            WeightKind.F16,
            0,
            Block: 2e-3,
            PerByte: 1e-12,
            0,
            0,
            PerFlop: 1e-13,
            BatchGain: 8,
            LoadPerByte: 1e-9
        )
    );

    private static readonly DeviceSlot Apple = Measured(
        "apple",
        DeviceKind.AppleGpu,
        new DeviceSpeed(
            WeightKind.F16,
            0,
            Block: 1e-5,
            PerByte: 1e-11,
            0,
            0,
            PerFlop: 2e-12,
            BatchGain: 4,
            LoadPerByte: 1e-9
        )
    );

    [Fact]
    public void A_long_prompt_goes_to_the_one_and_a_long_answer_to_the_other()
    {
        Assert.Equal(External.Id, Route(80_000, 1, External, Apple).Device);
        Assert.Equal(Apple.Id, Route(8, 400, External, Apple).Device);
    }

    [Fact]
    public void The_prediction_is_the_sum_of_its_parts()
    {
        var model = Given.Model() with { BlockCount = 10 };
        var device = Measured(
            "a",
            DeviceKind.Cpu,
            new DeviceSpeed(WeightKind.F16, 1e-3, 1e-4, 1e-10, 2e-3, 1e-3, 1e-9, 1, 1e-8)
        );

        var seconds = ServiceTime.Predict(device, model, promptTokens: 20, outputTokens: 50);
        var loading = ServiceTime.Predict(device with { LoadedModels = [] }, model, 20, 50);

        var prompt = 2e-3 + (10 * 1e-3) + (2.0 * model.ParameterCount * 20 * 1e-9);
        var token = 1e-3 + (10 * 1e-4) + (model.WeightBytes * 1e-10);
        Assert.Equal(prompt + (50 * token), seconds!.Value, 1e-9);
        Assert.Equal(seconds.Value + (model.WeightBytes * 1e-8), loading!.Value, 1e-9);
    }

    [Fact]
    public void Live_work_counts_more_than_the_measurement_on_other_blocks()
    {
        var live = Apple with { Live = [new LiveSpeed(Model, TokensPerSecond: 1)] };

        Assert.Equal(400, Route(8, 400, live).PredictedSeconds!.Value, 0.1);
        Assert.Equal(External.Id, Route(8, 400, External, live).Device);
    }

    [Fact]
    public void Others_on_the_device_make_an_answer_slower_but_not_as_many_times_as_they_are()
    {
        var times = Enumerable
            .Range(0, 20)
            .Select(others =>
                ServiceTime.Predict(Apple with { ActiveSequences = others }, Given.Model(), 1, 100)!.Value
            )
            .ToList();

        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.Second > pair.First));
        Assert.True(times[7] < 8 * times[0] / 3);
    }

    [Fact]
    public void A_device_of_which_nothing_was_measured_counts_as_the_mean_of_the_others()
    {
        var unknown = Given.Device("unknown", loaded: [Model]);

        Assert.Equal(External.Id, Route(80_000, 1, External, unknown, Apple).Device);
        Assert.Equal(unknown.Id, Route(8, 4, unknown, Apple with { ActiveSequences = 5 }).Device);
        Assert.Null(Route(8, 4, unknown).PredictedSeconds);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(-1)]
    [InlineData(1e300)]
    public void A_measurement_that_cannot_be_counts_as_none(double wrong)
    {
        var lies = External with
        {
            Speeds = [External.Speeds[0] with { PerFlop = wrong }],
            Live = [new LiveSpeed(Model, wrong)],
        };

        Assert.Null(Route(8, 4, lies).PredictedSeconds);
    }

    [Fact]
    public void What_is_required_is_waited_for_and_what_is_preferred_is_not()
    {
        var cpu = Given.Device("cpu", loaded: [Model]);
        var off = External with { Ready = false };

        var required = Ask(new DeviceChoice(DeviceClass.Gpu, null), cpu, off);
        var preferred = Ask(new DeviceChoice(null, DeviceClass.ExternalGpu), cpu, off);
        var absent = Ask(new DeviceChoice(null, DeviceClass.LinuxGpu), cpu);
        var there = Ask(new DeviceChoice(null, DeviceClass.ExternalGpu), cpu, External, Apple);

        Assert.Equal(RefusalCode.NoMatchingDevice, required.Refusal?.Code);
        Assert.Equal(
            (cpu.Id, "none of the kind preferred is ready"),
            (preferred.Placement!.Device, preferred.Placement.Fallback)
        );
        Assert.Equal("none of the kind preferred is in the fleet", absent.Placement!.Fallback);
        Assert.Equal((External.Id, null), (there.Placement!.Device, there.Placement.Fallback));
    }

    [Theory]
    [InlineData(DeviceClass.Cpu, new[] { DeviceKind.Cpu })]
    [InlineData(DeviceClass.Gpu, new[] { DeviceKind.AppleGpu, DeviceKind.ExternalGpu, DeviceKind.LinuxGpu })]
    [InlineData(DeviceClass.ExternalGpu, new[] { DeviceKind.ExternalGpu })]
    [InlineData(DeviceClass.AppleGpu, new[] { DeviceKind.AppleGpu })]
    [InlineData(DeviceClass.LinuxGpu, new[] { DeviceKind.LinuxGpu })]
    public void A_class_is_these_kinds(DeviceClass asked, DeviceKind[] kinds) =>
        Assert.Equal(kinds, Enum.GetValues<DeviceKind>().Where(kind => DeviceChoice.IsOf(asked, kind)));

    private static DeviceSlot Measured(string node, DeviceKind kind, DeviceSpeed speed) =>
        Given.Device(node, loaded: [Model]) with
        {
            Kind = kind,
            Speeds = [speed],
        };

    private static RoutePlacement Route(int promptTokens, int outputTokens, params DeviceSlot[] devices) =>
        Router
            .Route(
                [.. devices],
                new RouteRequest(Given.Model() with { BlockCount = 32 }, [], promptTokens, outputTokens)
            )
            .Placement!;

    private static RouteReply Ask(DeviceChoice choice, params DeviceSlot[] devices) =>
        Router.Route([.. devices], new RouteRequest(Given.Model(), [], 8, 8, choice));
}
