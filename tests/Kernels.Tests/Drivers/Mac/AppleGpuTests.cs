using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Tests.Drivers.Mac;

public sealed class AppleGpuTests
{
    private const long GibiByte = 1L << 30;

    private static readonly HostMemory Memory = new(32 * GibiByte, 28 * GibiByte);

    [Fact]
    public void An_apple_gpu_has_the_memory_that_may_be_wired()
    {
        var device = AppleGpu.Describe(true, "Apple M4", Memory, 26000, MacTextsOf.Said("Pci/report-rtx-3060"));
        Assert.NotNull(device);
        Assert.Equal(
            ("apple-gpu0", DeviceKind.AppleGpu, "Apple M4", 10),
            (device.Name, device.Kind, device.Model, device.CoreCount)
        );
        Assert.Equal(26000L << 20, device.TotalMemoryBytes);
        Assert.Equal(26000L << 20, device.AvailableMemoryBytes);
        Assert.Null(device.Gpu);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void Without_a_limit_of_the_owner_two_thirds_may_be_wired(long mebibytes) =>
        Assert.Equal(Memory.TotalBytes / 3 * 2, AppleGpu.WiredLimitBytes(Memory.TotalBytes, mebibytes));

    [Fact]
    public void Without_a_report_the_chip_gives_its_name()
    {
        var device = AppleGpu.Describe(true, "Apple M2 Max", Memory, 0, CommandText.NotThere);
        Assert.Equal("Apple M2 Max", device?.Model);
        Assert.Equal(0, device?.CoreCount);
        Assert.Equal("Apple GPU", AppleGpu.Describe(true, null, Memory, 0, CommandText.NotThere)?.Model);
    }

    [Fact]
    public void An_intel_mac_has_none() =>
        Assert.Null(AppleGpu.Describe(false, "Intel", Memory, 0, CommandText.NotThere));
}
