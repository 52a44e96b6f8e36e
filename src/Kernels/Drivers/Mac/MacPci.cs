namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>Finds GPUs in the PCI and display parts of a report; the keys of JSON and the labels of text mean the same.</summary>
public static class MacPci
{
    /// <summary>The GPUs on PCI; the Mac's own GPU is not on it.</summary>
    public static IReadOnlyList<PciGpu> Gpus(IReadOnlyList<ProfilerItem> items) =>
        [.. items.Select(Gpu).OfType<PciGpu>().Take(Limits.Gpus)];

    private static PciGpu? Gpu(ProfilerItem item)
    {
        var vendor = Vendor(item);
        var device = DisplayNumbers.Hex(item.Field("sppci_device-id", "spdisplays_device-id", "Device ID"));
        if (vendor is null or PciGpu.Apple || device is null)
            return null;
        var type = item.Field("sppci_device_type", "Type") ?? "";
        var slot = item.Field("sppci_slot_name", "Slot");
        var gpu = new PciGpu(
            DisplayNumbers.Plain(slot) ?? "PCIe",
            vendor.Value,
            device.Value,
            ClassCode(type),
            null,
            DisplayNumbers.Whole(
                item.Field("sppci_link-width", "spdisplays_pcie_width", "Link Width", "PCIe Lane Width"),
                64
            ),
            DisplayNumbers.Leading(item.Field("sppci_link-speed", "Link Speed")),
            LinkUp(item.Field("sppci_link-status", "Link Status")),
            (slot ?? "").Contains("Thunderbolt", StringComparison.OrdinalIgnoreCase)
                || type.Contains("External", StringComparison.OrdinalIgnoreCase)
                || IsYes(item.Field("sppci_tunnel-compatible", "Tunnel Compatible")),
            IsYes(item.Field("sppci_driver_installed", "Driver Installed")) ? "yes" : null
        );
        gpu = gpu with { Name = TinygradSupport.Family(gpu) is { } family ? $"{gpu.VendorName} {family}" : null };
        return IsDisplay(type, gpu) ? gpu : null;
    }

    /// <summary>The audio function and the switches of a card have the card's vendor; only the type tells them apart.</summary>
    private static bool IsDisplay(string type, PciGpu gpu) =>
        type.Length == 0
            ? TinygradSupport.Of(gpu) == GpuSupport.Supported
            : Has(type, "VGA") || Has(type, "3D") || Has(type, "Display") || Has(type, "GPU");

    private static int? ClassCode(string type) =>
        Has(type, "VGA") ? TinygradSupport.VgaController
        : Has(type, "3D") ? 0x030200
        : null;

    /// <summary>An id of its own, or in parentheses behind the name: <c>NVIDIA (0x10de)</c>.</summary>
    private static int? Vendor(ProfilerItem item)
    {
        if (DisplayNumbers.Hex(item.Field("sppci_vendor-id", "spdisplays_vendor-id", "Vendor ID")) is { } id)
            return id;
        var named = item.Field("spdisplays_vendor", "Vendor") ?? "";
        var open = named.IndexOf("(0x", StringComparison.Ordinal);
        var close = open < 0 ? -1 : named.IndexOf(')', open);
        return close < 0 ? null : DisplayNumbers.Hex(named.AsSpan(open + 1, close - open - 1));
    }

    private static bool? LinkUp(string? status) => status is null ? null : Has(status, "up");

    private static bool IsYes(string? value) => value is not null && (Has(value, "yes") || Has(value, "affirmative"));

    private static bool Has(string text, string part) => text.Contains(part, StringComparison.OrdinalIgnoreCase);
}
