using EgpuFleet.Kernels.Engines;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>What tinygrad calls a device (its <c>DEV</c>, <see cref="TinygradSettings.DeviceVariable"/>). Pure.</summary>
public static class TinygradDevice
{
    /// <summary>Null where tinygrad drives no device of that vendor.</summary>
    public static string? NameOf(DeviceDescription device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Kind switch
        {
            DeviceKind.Cpu => "CPU",
            DeviceKind.AppleGpu => "METAL",
            DeviceKind.ExternalGpu => OfVendor(device, "AMD", "NV"),
            // By number: a machine may have several, and each has a worker of its own.
            DeviceKind.LinuxGpu => OfVendor(device, $"KFD:{device.VendorIndex}+AMD", $"NVK:{device.VendorIndex}+NV"),
            _ => throw new ArgumentException($"No such kind of device: {device.Kind}", nameof(device)),
        };
    }

    private static string? OfVendor(DeviceDescription device, string amd, string nvidia) =>
        device.Gpu?.VendorId switch
        {
            PciGpu.Amd => amd,
            PciGpu.Nvidia => nvidia,
            _ => null,
        };
}
