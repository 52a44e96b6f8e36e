namespace EgpuFleet.Kernels.Drivers;

/// <summary>Whether the pinned tinygrad drives a GPU over PCI, and why not.</summary>
public enum GpuSupport
{
    Supported,

    /// <summary>Neither AMD nor Nvidia.</summary>
    OtherVendor,

    /// <summary>An id that is not on tinygrad's list.</summary>
    OtherModel,

    /// <summary>TinyGPU attaches to VGA controllers (class 0x030000) only.</summary>
    OtherClass,
}

/// <summary>The list of PCI ids in the pinned tinygrad (commit a9069c177) and the class in TinyGPU's extension.</summary>
public static class TinygradSupport
{
    /// <summary>PCI class that TinyGPU's extension matches, exactly.</summary>
    public const int VgaController = 0x030000;

    /// <summary>AMD devices by id, with the family that goes by it.</summary>
    public static IReadOnlyDictionary<int, string> AmdModels { get; } =
        new Dictionary<int, string>
        {
            [0x744c] = "Radeon RX 7900 XTX, XT or GRE",
            [0x7480] = "Radeon RX 7600",
            [0x7550] = "Radeon RX 9070",
            [0x7551] = "Radeon AI PRO R9700",
            [0x7590] = "Radeon RX 9060",
            [0x74a1] = "Instinct MI300X",
            [0x75a0] = "Instinct MI350",
            [0x75a8] = "Instinct MI350",
        };

    /// <summary>Nvidia devices by the upper byte of their id, with the generation that goes by it.</summary>
    public static IReadOnlyDictionary<int, string> NvidiaFamilies { get; } =
        new Dictionary<int, string>
        {
            [0x2200] = "Ampere",
            [0x2400] = "Ampere",
            [0x2500] = "Ampere",
            [0x2600] = "Ada",
            [0x2700] = "Ada",
            [0x2800] = "Ada",
            [0x2b00] = "Blackwell",
            [0x2c00] = "Blackwell",
            [0x2d00] = "Blackwell",
            [0x2f00] = "Blackwell",
        };

    public static GpuSupport Of(PciGpu gpu) =>
        gpu.VendorId is not (PciGpu.Amd or PciGpu.Nvidia) ? GpuSupport.OtherVendor
        : gpu.ClassCode is not (null or VgaController) ? GpuSupport.OtherClass
        : Family(gpu) is null ? GpuSupport.OtherModel
        : GpuSupport.Supported;

    /// <summary>What goes by the id; null where it is not on the list.</summary>
    public static string? Family(PciGpu gpu) =>
        gpu.VendorId switch
        {
            PciGpu.Amd => AmdModels.GetValueOrDefault(gpu.DeviceId),
            PciGpu.Nvidia => NvidiaFamilies.GetValueOrDefault(gpu.DeviceId & 0xff00),
            _ => null,
        };
}
