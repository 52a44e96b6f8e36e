using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json.Serialization;

namespace EgpuFleet.Cli.Processes;

/// <summary>
/// A process that cannot be mistaken for a later one with the same number: its id and when it started, as the system tells
/// it (clock ticks since a boot named by its id on Linux, wall time elsewhere). Agents write the same of their workers.
/// </summary>
internal sealed record ProcessIdentity(int Pid, string Started)
{
    /// <summary>The process that has this number now; null when there is none, or it has ended and waits to be reaped.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        var started = OperatingSystem.IsLinux() ? StartedOnLinux(pid) : StartedElsewhere(pid);
        return started is null ? null : new ProcessIdentity(pid, started);
    }

    [JsonIgnore]
    public bool IsAlive => Of(Pid) == this;

    /// <summary>Sends a signal if this very process still lives.</summary>
    public bool Signal(int signal) => IsAlive && Native.Signal(Pid, signal);

    /// <summary>True when it is gone within the time.</summary>
    public async Task<bool> WaitForExitAsync(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        while (IsAlive)
        {
            if (clock.GetElapsedTime(start) > timeout)
                return false;
            // Only a parent is told of an end; anyone else has to look.
            await Task.Delay(Limits.HealthInterval, clock, cancellationToken);
        }
        return true;
    }

    /// <summary>Asks it to end, and ends it after the grace.</summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!Signal(Native.SigTerm) || await WaitForExitAsync(grace, clock, cancellationToken))
            return;
        Signal(Native.SigKill);
        await WaitForExitAsync(grace, clock, cancellationToken);
    }

    private static string? StartedOnLinux(int pid)
    {
        try
        {
            var boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            // The name in parentheses may hold anything; the state is the first field after it, the start time the 20th.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : $"{boot}:{fields[19]}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? StartedElsewhere(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.HasExited ? null : process.StartTime.ToUniversalTime().Ticks.ToString();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }
}
