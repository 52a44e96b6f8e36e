using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Linux;

namespace EgpuFleet.Kernels.Tests.Drivers.Linux;

public sealed class LinuxFactsTests
{
    [Fact]
    public void A_gpu_is_read_from_its_files()
    {
        var gpu = Assert.Single(LinuxFacts.Of(LinuxTextsOf.AmdMachine).Gpus);
        Assert.Equal("1002:744c", gpu.Id);
        Assert.Equal((16, 16.0), (gpu.LinkWidth, gpu.LinkGigatransfers));
        Assert.Equal(24L << 30, gpu.VramBytes);
        Assert.Equal("amdgpu", gpu.Driver);
        Assert.Equal("/dev/dri/renderD128", gpu.RenderNode);
        Assert.True(gpu.IsExternal);
    }

    [Fact]
    public void Nvidias_tool_adds_name_and_memory_to_what_the_bus_shows()
    {
        var facts = LinuxFacts.Of(LinuxTextsOf.NvidiaMachine);
        Assert.Equal(2, facts.Gpus.Count);
        Assert.Equal(("NVIDIA GeForce RTX 4090", 24576L << 20), (facts.Gpus[0].Name, facts.Gpus[0].VramBytes));
        Assert.Equal("NVIDIA H100 80GB HBM3", facts.Gpus[1].Name);
        Assert.Null(facts.NvidiaTrouble);
    }

    [Fact]
    public void A_tool_that_failed_lists_nothing_and_says_why()
    {
        var text = Transcript.Of("Linux/nvidia-smi-no-driver").Text;
        var facts = LinuxFacts.Of(LinuxTextsOf.NvidiaMachine with { NvidiaSmi = CommandText.Of(text, 9) });
        Assert.Empty(facts.Nvidia);
        Assert.StartsWith("NVIDIA-SMI has failed because", facts.NvidiaTrouble, StringComparison.Ordinal);
        Assert.Empty(NvidiaSmi.Parse(text));
    }

    [Theory]
    [InlineData("libLLVM-14.so.1", 14)]
    [InlineData("libLLVM.so.19.1", 19)]
    [InlineData("libLLVM.so.18.1.8", 18)]
    [InlineData("libLLVM.so", null)]
    public void The_newest_llvm_counts(string library, int? version) =>
        Assert.Equal(version, LinuxFacts.Of(LinuxTextsOf.Bare with { Llvm = [library] }).LlvmVersion);

    [Theory]
    [InlineData("Python 3.11.2\n", "3.11.2")]
    [InlineData("Python 3.13.0+\n", "3.13.0")]
    [InlineData("Python three", null)]
    [InlineData("", null)]
    public void The_version_of_python_is_read(string text, string? version) =>
        Assert.Equal(
            version,
            LinuxFacts.Of(LinuxTextsOf.Bare with { Python = CommandText.Of(text) }).PythonVersion?.ToString()
        );

    [Fact]
    public void What_is_no_display_controller_is_no_gpu() =>
        Assert.Empty(LinuxFacts.Of(LinuxTextsOf.Bare with { Pci = [LinuxTextsOf.NetworkCard] }).Gpus);

    [Fact]
    public async Task This_machine_can_be_asked()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "looks at a Linux machine");
        var cancellationToken = TestContext.Current.CancellationToken;
        var texts = await new LinuxProbe(TimeProvider.System).GatherAsync(cancellationToken);
        var facts = LinuxFacts.Of(texts);
        var devices = await new LinuxGpuDriver(TimeProvider.System).DiscoverAsync(cancellationToken);
        Assert.Equal(facts.Gpus.Count(gpu => gpu.VendorId is PciGpu.Amd or PciGpu.Nvidia), devices.Count);
        Assert.Contains(facts.Nodes, node => node.Path == "/dev/kfd");
        Assert.Empty(await new TinyGpuDriver(TimeProvider.System).DiscoverAsync(cancellationToken));
        Assert.Empty(await new AppleGpuDriver(TimeProvider.System).DiscoverAsync(cancellationToken));
    }
}
