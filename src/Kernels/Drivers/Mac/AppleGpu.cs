using EgpuFleet.Kernels.Drivers.Gathering;

namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>Describes the GPU of an Apple chip, which works in the Mac's own memory.</summary>
public static class AppleGpu
{
    private const long BytesPerMebibyte = 1024 * 1024;

    /// <summary>Pure.</summary>
    /// <param name="chip"><c>machdep.cpu.brand_string</c>, such as <c>Apple M4</c>.</param>
    /// <param name="memory">Of the machine.</param>
    /// <param name="wiredLimitMebibytes"><c>iogpu.wired_limit_mb</c>; 0 where macOS decides.</param>
    /// <param name="report"><c>system_profiler -json SPDisplaysDataType</c>.</param>
    /// <returns>Null where the machine has no Apple GPU.</returns>
    public static DeviceDescription? Describe(
        bool isAppleSilicon,
        string? chip,
        HostMemory memory,
        long wiredLimitMebibytes,
        CommandText report
    )
    {
        if (!isAppleSilicon)
            return null;
        var display = ProfilerReport.ParseJson(report.Text)?.Displays.FirstOrDefault(IsApple);
        var limit = WiredLimitBytes(memory.TotalBytes, wiredLimitMebibytes);
        return new DeviceDescription(
            "apple-gpu0",
            DeviceKind.AppleGpu,
            DisplayNumbers.Plain(display?.Field("sppci_model") ?? chip) ?? "Apple GPU",
            DeviceState.Usable,
            null,
            DisplayNumbers.Whole(display?.Field("sppci_cores"), Limits.FolderEntries) ?? 0,
            limit,
            Math.Min(limit, memory.AvailableBytes)
        );
    }

    /// <summary>
    /// What the GPU may use of the unified memory. Without a limit of the owner's macOS takes two thirds to three quarters,
    /// by size: the smaller is what a plan may count on.
    /// </summary>
    public static long WiredLimitBytes(long totalBytes, long wiredLimitMebibytes) =>
        wiredLimitMebibytes > 0 && wiredLimitMebibytes <= totalBytes / BytesPerMebibyte
            ? wiredLimitMebibytes * BytesPerMebibyte
            : totalBytes / 3 * 2;

    private static bool IsApple(ProfilerItem item) =>
        item.Field("spdisplays_vendor", "sppci_model") is { } vendor
        && vendor.Contains("Apple", StringComparison.OrdinalIgnoreCase);
}
