using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.Kernels.Tests.Drivers;

public sealed class CpuDriverTests
{
    [Fact]
    public async Task This_machine_has_one_usable_processor_with_memory()
    {
        var device = Assert.Single(await new CpuDriver().DiscoverAsync(TestContext.Current.CancellationToken));
        Assert.Equal("cpu0", device.Name);
        Assert.Equal(DeviceState.Usable, device.State);
        Assert.NotEmpty(device.Model);
        Assert.InRange(device.CoreCount, 1, 4096);
        Assert.InRange(device.AvailableMemoryBytes, 1, device.TotalMemoryBytes);
    }

    [Fact]
    public void Memory_is_read_from_the_kernels_text()
    {
        var memory = HostMemory.FromMemInfo(
            "MemTotal:       24605256 kB\nMemFree: 1 kB\nMemAvailable:   23000000 kB\n"
        );
        Assert.Equal(new HostMemory(24605256L * 1024, 23000000L * 1024), memory);
    }

    [Theory]
    [InlineData("processor\t: 0\nmodel name\t: Intel(R) Xeon(R)\nmodel name\t: other\n", "Intel(R) Xeon(R)")]
    [InlineData("processor\t: 0\nBogoMIPS\t: 243.75\n", null)]
    [InlineData("", null)]
    public void The_processors_model_is_read_from_the_kernels_text(string cpuInfo, string? model) =>
        Assert.Equal(model, LinuxCpuInfo.Model(cpuInfo));
}
