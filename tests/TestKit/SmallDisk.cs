using System.Diagnostics;

namespace EgpuFleet.TestKit;

/// <summary>A small file system in memory at a folder, which really runs full.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    public const string SkipReason = "Needs Linux and the right to mount a small file system.";

    private const int PieceBytes = 4_096;

    private readonly string folder;

    private SmallDisk(string folder) => this.folder = folder;

    private string Ballast => Path.Combine(folder, "ballast");

    /// <summary>Mounts one; null where this machine does not allow it. What lies in the folder is hidden while it is mounted.</summary>
    public static async Task<SmallDisk?> MountAsync(string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        var isMounted =
            OperatingSystem.IsLinux()
            && Environment.IsPrivilegedProcess
            && await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=0777", "tmpfs", folder);
        return isMounted ? new SmallDisk(folder) : null;
    }

    /// <summary>Gives it to the owner of another path.</summary>
    public Task<bool> GiveToOwnerOfAsync(string path) => RunAsync("chown", $"--reference={path}", folder);

    public Task<bool> GrowAsync(int megabytes) => RunAsync("mount", "-o", $"remount,size={megabytes}m", folder);

    /// <summary>Takes all the room that is left.</summary>
    public void Fill()
    {
        using var file = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var piece = new byte[PieceBytes];
        try
        {
            while (true)
                file.Write(piece);
        }
        catch (IOException)
        {
            // Full: that is what is wanted.
        }
    }

    /// <summary>Gives the room back that <see cref="Fill"/> took.</summary>
    public void Free() => File.Delete(Ballast);

    /// <summary>Unmounts it, also from under a process that still has files open there.</summary>
    public async ValueTask DisposeAsync() => await RunAsync("umount", "--lazy", folder);

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false }
        );
        await process!.WaitForExitAsync(CancellationToken.None);
        return process.ExitCode == 0;
    }
}
