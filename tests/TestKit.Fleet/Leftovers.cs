using System.Diagnostics;
using System.Globalization;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>Workers whose agent was killed and never came back: found by the rig's own folder in their command line.</summary>
internal static class Leftovers
{
    public static async Task KillAsync(string folder)
    {
        foreach (var processId in await FindAsync(folder))
            Signals.Send(processId, Signals.Kill);
    }

    /// <summary>All processes of the rig but its database server, which is stopped by its own means.</summary>
    public static async Task<IReadOnlyList<int>> FindAsync(string folder)
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
            if (space < 0 || !line.Contains(folder + "/node-", StringComparison.Ordinal))
                continue;
            found.Add(int.Parse(line.AsSpan(0, space), CultureInfo.InvariantCulture));
        }
        return found;
    }
}
