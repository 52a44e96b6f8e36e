using EgpuFleet.Kernels.Drivers.Gathering;
using EgpuFleet.Kernels.Drivers.Mac;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>The GPU in an Apple chip: one device on every Mac with Apple silicon. Unverified on hardware.</summary>
public sealed class AppleGpuDriver(TimeProvider clock) : IDeviceDriver
{
    public DeviceKind Kind => DeviceKind.AppleGpu;

    public async Task<IReadOnlyList<DeviceDescription>> DiscoverAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsMacOS())
            return [];
        var report = await new HostCommand(clock).RunAsync(
            "system_profiler",
            ["-json", "SPDisplaysDataType"],
            Limits.ProfilerTimeout,
            cancellationToken
        );
        var device = AppleGpu.Describe(
            MacSysctl.Number("hw.optional.arm64") == 1,
            MacSysctl.Text("machdep.cpu.brand_string"),
            HostMemory.Read(),
            MacSysctl.Number("iogpu.wired_limit_mb"),
            report
        );
        return device is null ? [] : [device];
    }
}
