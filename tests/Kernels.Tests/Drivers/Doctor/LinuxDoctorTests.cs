using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Linux;
using EgpuFleet.Kernels.Tests.Drivers.Linux;

namespace EgpuFleet.Kernels.Tests.Drivers.Doctor;

public sealed class LinuxDoctorTests
{
    [Fact]
    public void Machines_on_which_all_is_well_are_well()
    {
        Assert.All(
            [LinuxTextsOf.CpuMachine, LinuxTextsOf.AmdMachine, LinuxTextsOf.NvidiaMachine],
            texts =>
            {
                var report = Examine(texts);
                Assert.True(report.IsWell, report.FirstFailure?.ToString());
            }
        );
    }

    [Fact]
    public void Without_a_gpu_the_checks_of_gpus_say_why_they_did_not_run()
    {
        var report = Examine(LinuxTextsOf.CpuMachine);
        Assert.Equal(CheckState.Skipped, Check(report, "gpu_on_bus").State);
        Assert.Equal("no AMD GPU is on the bus", Check(report, "kfd").Seen);
        Assert.Equal("no Nvidia GPU is on the bus", Check(report, "nvidia_smi").Seen);
    }

    [Fact]
    public void What_tinygrad_lacks_fails_in_the_order_of_need() =>
        Assert.Equal(
            ["clang", "python3", "numpy"],
            Examine(LinuxTextsOf.Bare).Checks.Where(check => check.State == CheckState.Failed).Select(check => check.Id)
        );

    [Fact]
    public void Where_no_device_uses_tinygrad_what_it_lacks_is_not_needed()
    {
        var report = Examine(LinuxTextsOf.Bare, usesTinygrad: false);
        Assert.True(report.IsWell, report.FirstFailure?.ToString());
        foreach (var id in (string[])["clang", "python3", "numpy"])
        {
            Assert.Equal(CheckState.Skipped, Check(report, id).State);
            Assert.StartsWith("not needed here", Check(report, id).Seen, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_gpu_needs_tinygrad_whatever_the_processor_uses() =>
        Assert.Equal(
            "clang",
            Examine(LinuxTextsOf.AmdMachine with { Clang = CommandText.NotThere }, usesTinygrad: false).FirstFailure?.Id
        );

    public static TheoryData<string, string> Failures { get; } =
        new()
        {
            { "amd_driver", "held by no driver" },
            { "kfd", "/dev/kfd is not there" },
            { "render_node", "may not be used" },
            { "amd_compiler", "LLVM 14" },
            { "nvidia_driver", "held by nouveau" },
            { "nvidia_smi", "NVIDIA-SMI has failed" },
            { "nvidia_nodes", "/dev/nvidiactl is not there" },
            { "clang", "not there" },
            { "python3", "Python 3.9.1" },
            { "numpy", "no numpy" },
        };

    [Theory]
    [MemberData(nameof(Failures))]
    public void What_is_broken_is_the_first_that_fails_with_cause_and_fix(string id, string seen)
    {
        var failure = Examine(Broken(id)).FirstFailure;
        Assert.Equal(id, failure?.Id);
        Assert.Contains(seen, failure?.Seen, StringComparison.Ordinal);
        Assert.NotEmpty(failure?.Cause ?? "");
        Assert.NotEmpty(failure?.Fix ?? "");
    }

    [Fact]
    public void The_driver_describes_each_gpu_and_why_it_cannot_be_used()
    {
        var amd = Assert.Single(LinuxGpuDriver.Describe(LinuxFacts.Of(LinuxTextsOf.AmdMachine)));
        Assert.Equal((DeviceState.Usable, 24L << 30), (amd.State, amd.TotalMemoryBytes));
        Assert.Equal(
            ["gpu0", "gpu1"],
            LinuxGpuDriver.Describe(LinuxFacts.Of(LinuxTextsOf.NvidiaMachine)).Select(gpu => gpu.Name)
        );
        var mixed = LinuxTextsOf.NvidiaMachine with
        {
            Pci = [.. LinuxTextsOf.AmdMachine.Pci, .. LinuxTextsOf.NvidiaMachine.Pci],
        };
        Assert.Equal(
            [("gpu0", "AMD", 0), ("gpu1", "Nvidia", 0), ("gpu2", "Nvidia", 1)],
            LinuxGpuDriver
                .Describe(LinuxFacts.Of(mixed))
                .Select(gpu => (gpu.Name, gpu.Gpu!.VendorName, gpu.VendorIndex))
        );
        var refused = Assert.Single(LinuxGpuDriver.Describe(LinuxFacts.Of(Broken("render_node"))));
        Assert.Equal(DeviceState.Unusable, refused.State);
        Assert.NotNull(refused.Reason);
    }

    [Theory]
    [InlineData("/usr/bin/python3", "sudo apt-get install python3-numpy")]
    [InlineData("/opt/python/bin/python3", "/opt/python/bin/python3 -m pip install numpy")]
    public void Numpy_is_installed_for_the_python_that_is_used(string path, string fix) =>
        Assert.Equal(fix, Examine(Broken("numpy") with { PythonPath = path }).FirstFailure?.Fix);

    private static LinuxTexts Broken(string id)
    {
        var amd = LinuxTextsOf.AmdMachine;
        var nvidia = LinuxTextsOf.NvidiaMachine;
        return id switch
        {
            "amd_driver" => amd with { Pci = [amd.Pci[1] with { Driver = null }] },
            "kfd" => amd with { Nodes = [amd.Nodes[1]] },
            "render_node" => amd with { Nodes = [amd.Nodes[0], amd.Nodes[1] with { IsAllowed = false }] },
            "amd_compiler" => amd with { Llvm = ["libLLVM-14.so.1"] },
            "nvidia_driver" => nvidia with
            {
                Pci = [nvidia.Pci[0] with { Driver = "nouveau" }],
                NvidiaSmi = CommandText.NotThere,
            },
            "nvidia_smi" => nvidia with
            {
                NvidiaSmi = CommandText.Of(Transcript.Of("Linux/nvidia-smi-no-driver").Text, 9),
            },
            "nvidia_nodes" => nvidia with { Nodes = [] },
            "clang" => LinuxTextsOf.CpuMachine with { Clang = CommandText.NotThere },
            "python3" => LinuxTextsOf.CpuMachine with { Python = CommandText.Of("Python 3.9.1\n") },
            _ => LinuxTextsOf.CpuMachine with { Numpy = CommandText.Of("", 1) },
        };
    }

    private static DoctorReport Examine(LinuxTexts texts, bool usesTinygrad = true) =>
        LinuxDoctor.Examine(LinuxFacts.Of(texts), null, usesTinygrad);

    private static DoctorCheck Check(DoctorReport report, string id) => report.Checks.Single(check => check.Id == id);
}
