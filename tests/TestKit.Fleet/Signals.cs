using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>Signals to processes of the rig. Numbers that differ between systems are named once.</summary>
internal static partial class Signals
{
    public const int Quit = 3;
    public const int Kill = 9;
    public const int Terminate = 15;

    public static int Stop { get; } = OperatingSystem.IsMacOS() ? 17 : 19;

    public static int Continue { get; } = OperatingSystem.IsMacOS() ? 19 : 18;

    /// <summary>False when there is no such process any more.</summary>
    public static bool Send(int processId, int signal)
    {
        if (processId <= 1)
            throw new ArgumentOutOfRangeException(nameof(processId), processId, "Not a process of the rig.");
        if (kill(processId, signal) == 0)
            return true;
        const int noSuchProcess = 3;
        var error = Marshal.GetLastPInvokeError();
        return error == noSuchProcess ? false : throw new Win32Exception(error);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int processId, int signal);
}
