using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>
/// The external GPU of a Mac, driven by tinygrad through TinyGPU; one a Mac. It is found by what macOS lists: neither the
/// GPU is opened nor TinyGPU's socket, which has one client, connected to. Unverified on hardware.
/// </summary>
public sealed class TinyGpuDriver(TimeProvider clock) : IDeviceDriver
{
    public DeviceKind Kind => DeviceKind.ExternalGpu;

    public async Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsMacOS())
            return [];
        var facts = MacFacts.Of(await new MacProbe(clock).GatherAsync(cancellationToken));
        // Silence is not absence: a GPU that works must not be taken for unplugged.
        return facts.IsReportRead ? Describe(facts) : throw new IOException("system_profiler told nothing.");
    }

    /// <summary>Pure: the device and whether a worker can be started on it, by the doctor's first failing check.</summary>
    public static IReadOnlyList<DeviceDescription> Describe(MacFacts facts)
    {
        if (facts.Gpu is not { } gpu)
            return [];
        var failure = MacDoctor.Examine(facts, null).FirstFailure;
        return
        [
            new DeviceDescription(
                "egpu0",
                DeviceKind.ExternalGpu,
                gpu.Name ?? $"{gpu.VendorName} {gpu.Id}",
                failure is null ? DeviceState.Usable : DeviceState.Unusable,
                failure?.Cause,
                0,
                gpu.VramBytes ?? 0,
                gpu.VramBytes ?? 0,
                gpu,
                facts.Enclosure
            ),
        ];
    }
}
