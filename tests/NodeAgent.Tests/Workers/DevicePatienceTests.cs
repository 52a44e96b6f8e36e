using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Tests.Workers;

public sealed class DevicePatienceTests
{
    private static readonly DevicePatience Patience = new(TimeSpan.FromSeconds(2));

    public static TheoryData<string, double> Longest { get; } =
        new()
        {
            { "step", 2 },
            { "load", NodeAgent.Limits.LoadTimeout.TotalSeconds },
            { "warmup", NodeAgent.Limits.WarmUpTimeout.TotalSeconds },
            { "train_step", NodeAgent.Limits.TrainPassTimeout.TotalSeconds },
            { "selftest", NodeAgent.Limits.SelfTestTimeout.TotalSeconds },
            { "a verb of a later version", NodeAgent.Limits.SelfTestTimeout.TotalSeconds },
        };

    [Theory]
    [MemberData(nameof(Longest))]
    public void A_call_has_the_time_of_its_kind_and_no_more(string verb, double seconds)
    {
        Assert.Null(Patience.Judge(new DeviceCall(verb, seconds)));
        Assert.Contains(
            $"one {verb} has lasted",
            Patience.Judge(new DeviceCall(verb, seconds + 0.1)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_device_at_rest_does_not_hang() => Assert.Null(Patience.Judge(null));

    [Fact]
    public void A_hang_is_one_for_the_failure_table_too() =>
        Assert.Equal(
            "device_hang",
            Kernels.Drivers.Doctor.WorkerDeath.Explain(Patience.Judge(new DeviceCall("step", 3))!).Id
        );

    [Fact]
    public void It_looks_several_times_within_a_step_and_never_seldomer_than_a_worker_is_probed()
    {
        Assert.Equal(TimeSpan.FromSeconds(0.5), Patience.LookEvery);
        Assert.Equal(NodeAgent.Limits.WorkerProbeEvery, new DevicePatience(TimeSpan.FromHours(1)).LookEvery);
    }
}
