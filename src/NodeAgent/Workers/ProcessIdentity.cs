using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// What tells a process from a later one with the same number: when it started, as exactly as the system says. Nothing is
/// signalled before this was compared.
/// </summary>
internal static class ProcessIdentity
{
    /// <summary>The identity of a living process; null when there is none, or it is a zombie.</summary>
    public static string? Of(int processId) =>
        OperatingSystem.IsLinux() ? OnLinux(processId) : FromStartTime(processId);

    /// <summary>Boot id and start tick: unlike wall-clock start times they never move.</summary>
    private static string? OnLinux(int processId)
    {
        const int StateField = 0;
        const int StartField = 19;
        try
        {
            var stat = File.ReadAllText($"/proc/{processId.ToString(CultureInfo.InvariantCulture)}/stat");
            // The second field, the name in parentheses, may hold anything; the rest is split by blanks.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (fields[StateField] is "Z" or "X")
                return null;
            return $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()}:{fields[StartField]}";
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string? FromStartTime(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
