using System.Runtime.InteropServices;
using System.Text;

namespace EgpuFleet.Kernels.Drivers.Gathering;

/// <summary>Looks at files and device nodes without opening a device.</summary>
internal static partial class HostFiles
{
    private const int ReadAndWrite = 4 | 2;

    /// <summary>The beginning of a text file, trimmed; null where it is absent or may not be read.</summary>
    public static string? Text(string path, int bytes = Limits.SystemFileBytes)
    {
        try
        {
            using var file = File.OpenRead(path);
            var block = new byte[bytes];
            return Encoding.UTF8.GetString(block, 0, file.ReadAtLeast(block, bytes, throwOnEndOfStream: false)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Names in a folder, ordered; empty where it is absent or may not be read.</summary>
    public static IReadOnlyList<string> Names(string folder)
    {
        try
        {
            return
            [
                .. Directory
                    .EnumerateFileSystemEntries(folder)
                    .Take(Limits.FolderEntries)
                    .Select(path => Path.GetFileName(path))
                    .Order(StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Name of what a symbolic link points to; null where it is none.</summary>
    public static string? LinkTarget(string path)
    {
        try
        {
            return Path.GetFileName(new FileInfo(path).LinkTarget);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Whether this process may read and write it. Asks the kernel for the right; opens nothing.</summary>
    public static DeviceNode Node(string path) => new(path, Path.Exists(path), Access(path, ReadAndWrite) == 0);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);
}

/// <summary>A file below <c>/dev</c>.</summary>
/// <param name="IsAllowed">Whether this process may read and write it.</param>
public sealed record DeviceNode(string Path, bool IsThere, bool IsAllowed);
