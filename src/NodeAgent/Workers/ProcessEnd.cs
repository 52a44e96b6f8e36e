using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>Ends one process that is ours by identity: SIGTERM, a wait, SIGKILL.</summary>
internal static partial class ProcessEnd
{
    private const int Terminate = 15;

    private const int Kill = 9;

    /// <summary>Returns when the process is gone. Does nothing when <paramref name="identity"/> is no longer that of the number.</summary>
    public static async Task EndAsync(int processId, string identity, TimeSpan patience, TimeProvider time)
    {
        if (await GoneAsync(processId, identity, Terminate, patience, time))
            return;
        await GoneAsync(processId, identity, Kill, patience, time);
    }

    /// <summary>SIGKILL at once; returns when the process is gone, as <see cref="EndAsync"/>.</summary>
    public static Task KillAsync(int processId, string identity, TimeSpan patience, TimeProvider time) =>
        GoneAsync(processId, identity, Kill, patience, time);

    private static async Task<bool> GoneAsync(
        int processId,
        string identity,
        int signal,
        TimeSpan patience,
        TimeProvider time
    )
    {
        if (ProcessIdentity.Of(processId) != identity)
            return true;
        _ = SendSignal(processId, signal);
        return await WaitAsync(processId, identity, patience, time);
    }

    /// <summary>True when the process ended within the time.</summary>
    public static async Task<bool> WaitAsync(int processId, string identity, TimeSpan patience, TimeProvider time)
    {
        try
        {
            // Also reaps it where it is our child.
            using var process = Process.GetProcessById(processId);
            if (ProcessIdentity.Of(processId) != identity)
                return true;
            await process.WaitForExitAsync().WaitAsync(patience, time);
            return true;
        }
        catch (ArgumentException)
        {
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int processId, int signal);
}
