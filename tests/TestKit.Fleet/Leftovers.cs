using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>Workers whose agent was killed and never came back: found by the rig's own folder in their command line.</summary>
internal static class Leftovers
{
    public static async Task KillAsync(string folder)
    {
        foreach (var processId in await FindAsync(Path.Combine(folder, "node-")))
            Signals.Send(processId, Signals.Kill);
    }

    /// <summary>The workers of an agent that runs.</summary>
    public static async Task<IReadOnlyList<int>> WorkersOfAsync(string folder, RigProcess agent)
    {
        ArgumentNullException.ThrowIfNull(agent);
        var all = await FindAsync(Path.Combine(folder, agent.Name) + Path.DirectorySeparatorChar);
        return [.. all.Where(process => process != agent.ProcessId).Order()];
    }

    /// <summary>Processes whose command line names a folder that begins so.</summary>
    private static async Task<IReadOnlyList<int>> FindAsync(string folder)
    {
        var start = new ProcessStartInfo("ps", ["-axww", "-o", "pid=,args="])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var ps = Process.Start(start)!;
        var output = await ps.StandardOutput.ReadToEndAsync();
        await ps.WaitForExitAsync();
        var found = new List<int>();
        foreach (var line in output.Split('\n').Select(line => line.Trim()))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !line.Contains(folder, StringComparison.Ordinal))
                continue;
            found.Add(int.Parse(line.AsSpan(0, space), CultureInfo.InvariantCulture));
        }
        return found;
    }
}
