namespace EgpuFleet.Kernels.Drivers;

/// <summary>Which boot of this machine this is.</summary>
public static class HostBoot
{
    /// <summary>The same as long as the machine runs, another one after each restart.</summary>
    /// <exception cref="IOException">Linux does not tell.</exception>
    public static string Id() =>
        OperatingSystem.IsLinux()
            ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()
            // kern.boottime would do as well, but moves when the clock is set.
            : MacSysctl.Text("kern.bootsessionuuid") ?? "unknown";
}
