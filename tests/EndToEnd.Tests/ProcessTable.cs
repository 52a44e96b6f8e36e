using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.EndToEnd.Tests;

/// <summary>What runs on this machine, by <c>ps</c>, and the one signal .NET cannot be talked out of.</summary>
internal static class ProcessTable
{
    /// <summary>Ids and command lines of all processes whose command line contains a text.</summary>
    public static async Task<IReadOnlyList<(int ProcessId, string CommandLine)>> FindAsync(
        string text,
        CancellationToken cancellationToken
    )
    {
        var start = new ProcessStartInfo("ps", ["-axww", "-o", "pid=,args="])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var ps = Process.Start(start)!;
        var output = await ps.StandardOutput.ReadToEndAsync(cancellationToken);
        await ps.WaitForExitAsync(cancellationToken);
        var found = new List<(int, string)>();
        foreach (var line in output.Split('\n'))
        {
            var trimmed = line.Trim();
            var space = trimmed.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && trimmed.Contains(text, StringComparison.Ordinal))
                found.Add((int.Parse(trimmed.AsSpan(0, space), CultureInfo.InvariantCulture), trimmed[(space + 1)..]));
        }
        return found;
    }

    /// <summary>SIGSTOP: the process keeps its sockets open and does nothing more, as one that hangs.</summary>
    public static async Task FreezeAsync(int processId, CancellationToken cancellationToken)
    {
        using var kill = Process.Start("kill", ["-STOP", processId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(cancellationToken);
        if (kill.ExitCode != 0)
            throw new InvalidOperationException($"Process {processId} could not be frozen.");
    }

    /// <summary>SIGKILL, and the end of the process awaited. The process must be one that the test's fleet started.</summary>
    public static async Task KillAsync(int processId, CancellationToken cancellationToken)
    {
        using var process = Process.GetProcessById(processId);
        process.Kill();
        await process.WaitForExitAsync(cancellationToken);
    }
}
