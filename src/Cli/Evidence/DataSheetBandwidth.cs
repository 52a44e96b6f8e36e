using EgpuFleet.Kernels.Drivers;

namespace EgpuFleet.Cli.Evidence;

/// <summary>
/// Memory bandwidth of GPUs as their makers publish it. Where one name or id covers several cards, the fastest counts, so that
/// a share is never too high.
/// </summary>
internal static class DataSheetBandwidth
{
    private const double BytesPerGigabyte = 1e9;

    private static readonly Dictionary<string, double> AppleChips = new(StringComparer.OrdinalIgnoreCase)
    {
        ["M1"] = 68,
        ["M1 Pro"] = 200,
        ["M1 Max"] = 400,
        ["M1 Ultra"] = 800,
        ["M2"] = 100,
        ["M2 Pro"] = 200,
        ["M2 Max"] = 400,
        ["M2 Ultra"] = 800,
        ["M3"] = 100,
        ["M3 Pro"] = 150,
        ["M3 Max"] = 400,
        ["M3 Ultra"] = 819,
        ["M4"] = 120,
        ["M4 Pro"] = 273,
        ["M4 Max"] = 546,
    };

    private static readonly Dictionary<int, double> Amd = new()
    {
        [0x744c] = 960,
        [0x7480] = 288,
        [0x7550] = 645,
        [0x7551] = 645,
        [0x7590] = 322,
        [0x74a1] = 5300,
    };

    private static readonly Dictionary<string, double> Nvidia = new(StringComparer.OrdinalIgnoreCase)
    {
        ["RTX 3060"] = 360,
        ["RTX 3060 Ti"] = 448,
        ["RTX 3070"] = 448,
        ["RTX 3070 Ti"] = 608,
        ["RTX 3080"] = 912,
        ["RTX 3080 Ti"] = 912,
        ["RTX 3090"] = 936,
        ["RTX 3090 Ti"] = 1008,
        ["RTX 4060"] = 272,
        ["RTX 4060 Ti"] = 288,
        ["RTX 4070"] = 504,
        ["RTX 4070 Ti"] = 672,
        ["RTX 4080"] = 736,
        ["RTX 4090"] = 1008,
        ["RTX 5060"] = 448,
        ["RTX 5070"] = 672,
        ["RTX 5070 Ti"] = 896,
        ["RTX 5080"] = 960,
        ["RTX 5090"] = 1792,
        ["A100"] = 2039,
        ["H100"] = 3350,
        ["H200"] = 4800,
    };

    /// <summary>Bytes a second; null where nothing is known of it.</summary>
    public static double? Of(DeviceDescription device)
    {
        var gigabytes = device switch
        {
            { Kind: DeviceKind.AppleGpu } => Longest(AppleChips, device.Model),
            { Gpu: { VendorId: PciGpu.Amd } gpu } => Amd.TryGetValue(gpu.DeviceId, out var known) ? known : null,
            { Gpu: { VendorId: PciGpu.Nvidia } gpu } => Longest(Nvidia, gpu.Name ?? device.Model),
            _ => null,
        };
        return gigabytes * BytesPerGigabyte;
    }

    /// <summary>The longest name that the text has as whole words: an M4 Max is no M4.</summary>
    private static double? Longest(Dictionary<string, double> names, string text)
    {
        var padded = $" {text} ";
        return names
            .Where(name => padded.Contains($" {name.Key} ", StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(name => name.Key.Length)
            .Select(name => (double?)name.Value)
            .FirstOrDefault();
    }
}
