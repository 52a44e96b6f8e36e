namespace EgpuFleet.Kernels.Drivers;

/// <summary>A display controller on the PCI bus, as the system lists it; what is not known is null.</summary>
/// <param name="Address">Where it is, in the system's words: <c>Thunderbolt@3,0,0</c> or <c>0000:03:00.0</c>.</param>
/// <param name="VendorId">Of PCI, such as 0x1002.</param>
/// <param name="DeviceId">Of PCI, such as 0x744c.</param>
/// <param name="ClassCode">Of PCI, 24 bits: 0x030000 is a VGA controller, 0x030200 a 3D controller.</param>
/// <param name="Name">What it calls itself.</param>
/// <param name="LinkWidth">Lanes in use.</param>
/// <param name="LinkGigatransfers">Speed of each lane in use, GT/s.</param>
/// <param name="IsLinkUp">Whether the link is trained.</param>
/// <param name="IsExternal">Whether it is behind Thunderbolt or USB4.</param>
/// <param name="Driver">The kernel driver that holds it (Linux), or <c>yes</c> where one does (macOS); null for none.</param>
/// <param name="VramBytes">Memory of the card, where the system tells it.</param>
/// <param name="RenderNode">Its file for computing, <c>/dev/dri/renderD128</c> (Linux).</param>
public sealed record PciGpu(
    string Address,
    int VendorId,
    int DeviceId,
    int? ClassCode = null,
    string? Name = null,
    int? LinkWidth = null,
    double? LinkGigatransfers = null,
    bool? IsLinkUp = null,
    bool IsExternal = false,
    string? Driver = null,
    long? VramBytes = null,
    string? RenderNode = null
)
{
    public const int Amd = 0x1002;
    public const int Nvidia = 0x10de;
    public const int Intel = 0x8086;
    public const int Apple = 0x106b;

    /// <summary>Vendor and device, as <c>1002:744c</c>.</summary>
    public string Id => $"{VendorId:x4}:{DeviceId:x4}";

    public string VendorName =>
        VendorId switch
        {
            Amd => "AMD",
            Nvidia => "Nvidia",
            Intel => "Intel",
            Apple => "Apple",
            _ => $"vendor {VendorId:x4}",
        };

    /// <summary>In one line for people.</summary>
    public override string ToString()
    {
        var link = LinkWidth is null && LinkGigatransfers is null ? "" : $", x{LinkWidth} at {LinkGigatransfers} GT/s";
        return $"{Name ?? VendorName} ({Id}) at {Address}{link}";
    }
}
