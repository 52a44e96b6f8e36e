using EgpuFleet.Kernels.Drivers;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Devices;

/// <summary>Which engine a device gets, and what its worker is told.</summary>
public sealed class EnginePolicyTests
{
    private static readonly PciGpu Radeon = new("0000:03:00.0", PciGpu.Amd, 0x744c);
    private static readonly PciGpu GeForce = new("0000:04:00.0", PciGpu.Nvidia, 0x2684);
    private static readonly PciGpu Arc = new("0000:05:00.0", PciGpu.Intel, 0x56a0);

    [Theory]
    [InlineData(DeviceKind.Cpu, "llama.cpp", "EGPUFLEET_LLAMACPP_DEVICE=cpu")]
    [InlineData(DeviceKind.AppleGpu, "llama.cpp", "EGPUFLEET_LLAMACPP_DEVICE=metal")]
    [InlineData(DeviceKind.ExternalGpu, "tinygrad", "EGPUFLEET_TINYGRAD_DEVICE=AMD EGPUFLEET_TINYGRAD_THREADS=4")]
    [InlineData(DeviceKind.LinuxGpu, "tinygrad", "EGPUFLEET_TINYGRAD_DEVICE=KFD:1+AMD EGPUFLEET_TINYGRAD_THREADS=4")]
    public void Each_kind_of_device_has_its_engine(DeviceKind kind, string engine, string settings)
    {
        var choice = EnginePolicy.Choose(Device(kind, Radeon), Options.With());
        Assert.Equal((engine, settings, null), (choice.Engine, Written(choice), choice.Refusal));
    }

    [Theory]
    [InlineData(DeviceKind.ExternalGpu, "NV")]
    [InlineData(DeviceKind.LinuxGpu, "NVK:1+NV")]
    public void The_vendor_decides_which_of_tinygrads_devices_it_is(DeviceKind kind, string device) =>
        Assert.Equal(
            device,
            EnginePolicy.Choose(Device(kind, GeForce), Options.With()).Settings["EGPUFLEET_TINYGRAD_DEVICE"]
        );

    [Fact]
    public void The_owner_may_have_tinygrad_on_the_processor()
    {
        var choice = EnginePolicy.Choose(Device(DeviceKind.Cpu), Options.With(cpuEngine: "tinygrad", threads: 2));
        Assert.Equal("EGPUFLEET_TINYGRAD_DEVICE=CPU EGPUFLEET_TINYGRAD_THREADS=2", Written(choice));
        Assert.Equal("tinygrad", choice.Engine);
    }

    [Fact]
    public void A_device_that_its_driver_calls_unusable_gets_no_worker_and_keeps_its_reason()
    {
        var device = Device(DeviceKind.ExternalGpu, Radeon) with { State = DeviceState.Unusable, Reason = "no cable" };
        var choice = EnginePolicy.Choose(device, Options.With());
        Assert.Equal(("tinygrad", "no cable"), (choice.Engine, choice.Refusal));
    }

    [Fact]
    public void A_gpu_that_no_engine_drives_is_refused_by_its_vendors_name() =>
        Assert.Contains(
            "Intel",
            EnginePolicy.Choose(Device(DeviceKind.LinuxGpu, Arc), Options.With()).Refusal,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(DeviceKind.Cpu, 4, null, false, 600)]
    [InlineData(DeviceKind.Cpu, 2, null, false, 300)]
    [InlineData(DeviceKind.Cpu, 4, null, true, 150)]
    [InlineData(DeviceKind.Cpu, 4, 77L, true, 77)]
    [InlineData(DeviceKind.AppleGpu, 4, 77L, true, 750)]
    [InlineData(DeviceKind.ExternalGpu, 4, 77L, true, 900)]
    public void Memory_is_lent_by_kind(DeviceKind kind, int threads, long? told, bool sharesWithGpu, long expected)
    {
        var device = Device(kind) with { TotalMemoryBytes = 1000 };
        var options = Options.With(threads: threads, memoryBytes: told);
        Assert.Equal(expected, DeviceMemory.Planned(device, options, sharesWithGpu));
    }

    [Fact]
    public void Memory_that_only_a_worker_can_tell_is_learnt_from_it()
    {
        var unknown = new DeviceMemory(0);
        unknown.Learn(0);
        Assert.Equal(0, unknown.Bytes);
        unknown.Learn(1000);
        Assert.Equal(900, unknown.Bytes);

        var known = new DeviceMemory(500);
        known.Learn(1000);
        Assert.Equal(500, known.Bytes);
    }

    private static string Written(EngineChoice choice) =>
        string.Join(' ', choice.Settings.Select(setting => $"{setting.Key}={setting.Value}"));

    private static DeviceDescription Device(DeviceKind kind, PciGpu? gpu = null) =>
        new("any0", kind, "any", DeviceState.Usable, null, 4, 1000, 1000, gpu, VendorIndex: 1);
}
