using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Linux;

namespace EgpuFleet.Kernels.Tests.Drivers.Linux;

/// <summary>Texts of Linux machines, as sysfs and the tools write them.</summary>
internal static class LinuxTextsOf
{
    public static SysfsDevice NetworkCard { get; } =
        new("0000:00:04.0", "0x020000", "0x1af4", "0x1041", null, null, "virtio-pci", null, null, null);

    /// <summary>No GPU, and nothing installed.</summary>
    public static LinuxTexts Bare { get; } =
        new(
            [NetworkCard],
            [],
            [new DeviceNode("/dev/kfd", false, false)],
            CommandText.NotThere,
            CommandText.NotThere,
            [],
            false,
            null,
            CommandText.NotThere,
            CommandText.NotThere
        );

    /// <summary>No GPU, and all that the tinygrad engine needs.</summary>
    public static LinuxTexts CpuMachine { get; } =
        Bare with
        {
            Clang = CommandText.Of("Debian clang version 14.0.6\nTarget: x86_64-pc-linux-gnu\n"),
            PythonPath = "/usr/bin/python3",
            Python = CommandText.Of("Python 3.11.2\n"),
            Numpy = CommandText.Of("1.24.2\n"),
        };

    /// <summary>An AMD card behind Thunderbolt, all well.</summary>
    public static LinuxTexts AmdMachine { get; } =
        CpuMachine with
        {
            Pci =
            [
                NetworkCard,
                new SysfsDevice(
                    "0000:08:00.0",
                    "0x030000",
                    "0x1002",
                    "0x744c",
                    "16.0 GT/s PCIe",
                    "16",
                    "amdgpu",
                    "25769803776",
                    "removable",
                    "renderD128"
                ),
            ],
            KfdGpuIds = ["0", "51012"],
            Nodes = [new DeviceNode("/dev/kfd", true, true), new DeviceNode("/dev/dri/renderD128", true, true)],
            Llvm = ["libLLVM-19.so.1", "libLLVM-14.so.1"],
        };

    /// <summary>Two Nvidia cards, all well.</summary>
    public static LinuxTexts NvidiaMachine { get; } =
        CpuMachine with
        {
            Pci =
            [
                new SysfsDevice(
                    "0000:01:00.0",
                    "0x030000",
                    "0x10de",
                    "0x2684",
                    "16.0 GT/s PCIe",
                    "16",
                    "nvidia",
                    null,
                    "fixed",
                    null
                ),
                new SysfsDevice(
                    "0000:c1:00.0",
                    "0x030200",
                    "0x10de",
                    "0x2330",
                    "32.0 GT/s PCIe",
                    "16",
                    "nvidia",
                    null,
                    "fixed",
                    null
                ),
            ],
            Nodes =
            [
                new DeviceNode("/dev/kfd", false, false),
                new DeviceNode("/dev/nvidia0", true, true),
                new DeviceNode("/dev/nvidiactl", true, true),
            ],
            NvidiaSmi = CommandText.Of(Transcript.Of("Linux/nvidia-smi-csv").Text),
        };
}
