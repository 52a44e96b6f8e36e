using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Linux;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>AMD and Nvidia GPUs of a Linux machine, found in sysfs and by Nvidia's tool; none is opened.</summary>
public sealed class LinuxGpuDriver(TimeProvider clock) : IDeviceDriver
{
    public DeviceKind Kind => DeviceKind.LinuxGpu;

    public async Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken) =>
        OperatingSystem.IsLinux()
            ? Describe(LinuxFacts.Of(await new LinuxProbe(clock).GatherAsync(cancellationToken)))
            : [];

    /// <summary>Pure: each GPU of a vendor that an engine drives, usable where its driver and its files are.</summary>
    public static IReadOnlyList<DeviceDescription> Describe(LinuxFacts facts)
    {
        var gpus = facts.Gpus.Where(gpu => gpu.VendorId is PciGpu.Amd or PciGpu.Nvidia).ToList();
        return
        [
            .. gpus.Select(
                (gpu, index) =>
                {
                    var failure = LinuxDoctor.ExamineGpu(facts, gpu);
                    return new DeviceDescription(
                        $"gpu{index}",
                        DeviceKind.LinuxGpu,
                        gpu.Name ?? $"{gpu.VendorName} {gpu.Id}",
                        failure is null ? DeviceState.Usable : DeviceState.Unusable,
                        failure?.Cause,
                        0,
                        gpu.VramBytes ?? 0,
                        gpu.VramBytes ?? 0,
                        gpu,
                        VendorIndex: gpus.Take(index).Count(other => other.VendorId == gpu.VendorId)
                    );
                }
            ),
        ];
    }
}
