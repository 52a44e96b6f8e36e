using System.Runtime.InteropServices;

namespace EgpuFleet.Cli.Processes;

/// <summary>The few calls of libc that the runtime does not offer. Numbers are equal on Linux and macOS.</summary>
internal static partial class Native
{
    public const int SigTerm = 15;
    public const int SigKill = 9;

    /// <summary>Sends a signal; false when there is no such process or it is not ours.</summary>
    public static bool Signal(int pid, int signal) => kill(pid, signal) == 0;

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsid();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int dup2(int from, int to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int execv(string path, nint[] arguments);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int signal);
}
