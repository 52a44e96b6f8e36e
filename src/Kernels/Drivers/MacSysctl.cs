using System.Runtime.InteropServices;
using System.Text;

namespace EgpuFleet.Kernels.Drivers;

/// <summary>The kernel's named values on macOS.</summary>
internal static unsafe partial class MacSysctl
{
    private const int TextBytes = 256;

    /// <summary>A text value; null where there is none of that name.</summary>
    public static string? Text(string name)
    {
        var buffer = stackalloc byte[TextBytes];
        nuint length = TextBytes;
        return Get(name, buffer, &length, 0, 0) == 0 && length > 1
            ? Encoding.UTF8.GetString(buffer, (int)length - 1)
            : null;
    }

    /// <summary>A 32- or 64-bit whole number; 0 where there is none of that name.</summary>
    public static long Number(string name)
    {
        long value = 0;
        nuint length = sizeof(long);
        return Get(name, (byte*)&value, &length, 0, 0) == 0 ? value : 0;
    }

    [LibraryImport("libSystem.dylib", EntryPoint = "sysctlbyname", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Get(string name, byte* value, nuint* length, nint newValue, nuint newLength);
}
