using System.Text;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Small files that only their owner may read (0600), replaced whole or not at all.</summary>
public static class PrivateFile
{
    public static void Replace(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(path);
        var side = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(side, options))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }
        File.Move(side, path, overwrite: true);
    }
}
