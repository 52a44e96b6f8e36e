namespace EgpuFleet.Grains.Interfaces.Fleet;

/// <summary>A class of devices, as owners of work ask for them.</summary>
public enum DeviceClass
{
    Cpu = 0,

    /// <summary>Any GPU.</summary>
    Gpu = 1,

    /// <summary>The GPU of a Mac in an enclosure.</summary>
    ExternalGpu = 2,

    /// <summary>The GPU in an Apple chip.</summary>
    AppleGpu = 3,

    /// <summary>A GPU of a Linux machine.</summary>
    LinuxGpu = 4,
}

/// <summary>On what kind of device work may run. Where a preference cannot be met the work runs elsewhere, and says so.</summary>
/// <param name="Require">It runs there or waits.</param>
/// <param name="Prefer">It runs there when one of them is free, else elsewhere.</param>
[GenerateSerializer, Immutable, Alias("fleet.DeviceChoice")]
public sealed record DeviceChoice([property: Id(0)] DeviceClass? Require, [property: Id(1)] DeviceClass? Prefer)
{
    /// <summary>Anywhere.</summary>
    public static readonly DeviceChoice Any = new(null, null);

    public static bool IsOf(DeviceClass asked, DeviceKind kind) =>
        asked switch
        {
            DeviceClass.Cpu => kind == DeviceKind.Cpu,
            DeviceClass.Gpu => kind != DeviceKind.Cpu,
            DeviceClass.ExternalGpu => kind == DeviceKind.ExternalGpu,
            DeviceClass.AppleGpu => kind == DeviceKind.AppleGpu,
            DeviceClass.LinuxGpu => kind == DeviceKind.LinuxGpu,
            _ => false,
        };
}
