using System.Runtime.InteropServices;

namespace EgpuFleet.Kernels.Torch.Loading;

/// <summary>
/// glibc gives memory of over 128 KB back to the system at once, and each pass of training would take it again, page by page:
/// a tenth of its time. Elsewhere nothing is done.
/// </summary>
internal static partial class Allocator
{
    private const int TrimThreshold = -1;
    private const int MapThreshold = -3;

    /// <summary>The most that glibc allows.</summary>
    private const int MapBytes = 32 << 20;

    private const int KeptBytes = 1 << 30;

    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux())
            return;
        _ = SetOption(MapThreshold, MapBytes);
        _ = SetOption(TrimThreshold, KeptBytes);
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);
}
