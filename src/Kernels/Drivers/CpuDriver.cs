namespace EgpuFleet.Kernels.Drivers;

/// <summary>The processor of this machine, with its main memory: one device, everywhere.</summary>
public sealed class CpuDriver : IDeviceDriver
{
    private const string UnknownModel = "CPU";

    public DeviceKind Kind => DeviceKind.Cpu;

    public async Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken)
    {
        var memory = HostMemory.Read();
        var model = OperatingSystem.IsLinux()
            ? LinuxCpuInfo.Model(await File.ReadAllTextAsync("/proc/cpuinfo", cancellationToken))
            : MacSysctl.Text("machdep.cpu.brand_string");
        return
        [
            new DeviceDescription(
                "cpu0",
                DeviceKind.Cpu,
                model ?? UnknownModel,
                DeviceState.Usable,
                null,
                Environment.ProcessorCount,
                memory.TotalBytes,
                memory.AvailableBytes
            ),
        ];
    }
}
