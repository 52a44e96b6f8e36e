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
    /// <param name="program">Only those of this program; none: all.</param>
    public static async Task<IReadOnlyList<int>> WorkersOfAsync(string folder, RigProcess agent, string program = "")
    {
        ArgumentNullException.ThrowIfNull(agent);
        var all = await FindAsync(Path.Combine(folder, agent.Name) + Path.DirectorySeparatorChar, program);
        return [.. all.Where(process => process != agent.ProcessId).Order()];
    }

    /// <summary>A process and all that it has started, itself first.</summary>
    public static async Task<IReadOnlyList<int>> TreeOfAsync(int root)
    {
        var pairs = (await PsAsync("pid=,ppid="))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(pair => pair.Length == 2)
            .Select(pair => (Child: Number(pair[0]), Parent: Number(pair[1])))
            .ToLookup(pair => pair.Parent, pair => pair.Child);
        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count; i++)
            tree.AddRange(pairs[tree[i]]);
        return tree;
    }

    /// <summary>Processes whose command line names a folder that begins so, and the program.</summary>
    private static async Task<IReadOnlyList<int>> FindAsync(string folder, string program = "")
    {
        var found = new List<int>();
        foreach (var line in await PsAsync("pid=,args="))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !line.Contains(folder, StringComparison.Ordinal))
                continue;
            if (!line.Contains(program, StringComparison.Ordinal))
                continue;
            found.Add(Number(line.AsSpan(0, space)));
        }
        return found;
    }

    private static async Task<IEnumerable<string>> PsAsync(string columns)
    {
        var start = new ProcessStartInfo("ps", ["-axww", "-o", columns])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var ps = Process.Start(start)!;
        var output = await ps.StandardOutput.ReadToEndAsync();
        await ps.WaitForExitAsync();
        return output.Split('\n').Select(line => line.Trim());
    }

    private static int Number(ReadOnlySpan<char> text) => int.Parse(text, CultureInfo.InvariantCulture);
}
