namespace EgpuFleet.Kernels.Drivers.Mac;

/// <summary>How far macOS is with a system extension; the better one first.</summary>
public enum ExtensionState
{
    /// <summary><c>[activated enabled]</c>: it runs.</summary>
    Activated,

    /// <summary><c>[activated waiting for user]</c>: a person has to allow it.</summary>
    WaitingForUser,

    /// <summary><c>[activated disabled]</c>: a person turned it off.</summary>
    Disabled,

    /// <summary>On its way, or in a state that has no name here.</summary>
    Activating,

    /// <summary><c>[terminated waiting to uninstall…]</c>: an old version that goes with the next restart.</summary>
    Terminated,
}

/// <summary>One row of <c>systemextensionsctl list</c>.</summary>
/// <param name="Version">Version and build, as <c>1.0.0/3</c>.</param>
/// <param name="StateText">What stood in the brackets.</param>
public sealed record SystemExtension(
    bool IsEnabled,
    bool IsActive,
    string TeamId,
    string BundleId,
    string Version,
    ExtensionState State,
    string StateText
);

/// <summary>
/// Reads <c>systemextensionsctl list</c>. One id may have several rows: an old version waits to be uninstalled while the new
/// one runs. The first row says nothing, so all are read.
/// </summary>
public static class SystemExtensions
{
    /// <summary>Bundle id of TinyGPU's driver extension.</summary>
    public const string TinyGpu = "org.tinygrad.tinygpu.driver2";

    /// <summary>All rows of the text that have the form of one; columns may be parted by tabs or, in pasted texts, spaces.</summary>
    public static IReadOnlyList<SystemExtension> Parse(string text)
    {
        var rows = new List<SystemExtension>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (rows.Count < Limits.ReportItems && Row(line) is { } row)
                rows.Add(row);
        }
        return rows;
    }

    /// <summary>The row that counts of those with this id: a running one, else one that waits, else the rest.</summary>
    public static SystemExtension? Choose(IEnumerable<SystemExtension> rows, string bundleId) =>
        rows.Where(row => string.Equals(row.BundleId, bundleId, StringComparison.Ordinal)).MinBy(row => row.State);

    private static SystemExtension? Row(ReadOnlySpan<char> line)
    {
        // The form is: [*] [*] team bundle (version) name [state]. What is sure are the brackets and the parentheses.
        var open = line.LastIndexOf('[');
        var close = line.LastIndexOf(']');
        var left = line.IndexOf('(');
        var right = left < 0 ? -1 : left + line[left..].IndexOf(')');
        if (open < 0 || close < open || left < 0 || right < left || right > open)
            return null;
        var ids = line[..left].ToString().Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var names = ids.SkipWhile(id => id == "*").ToArray();
        if (names.Length is < 1 or > 2 || !names[^1].Contains('.', StringComparison.Ordinal))
            return null;
        var state = line[(open + 1)..close].Trim().ToString();
        var (enabled, active) = Marks(line[..left], ids.Length - names.Length);
        return new SystemExtension(
            enabled,
            active,
            names.Length == 2 ? names[0] : "",
            names[^1],
            line[(left + 1)..right].Trim().ToString(),
            StateOf(state),
            DisplayNumbers.Plain(state) ?? ""
        );
    }

    /// <summary>Two stars are both; of one the place tells: the first column is empty where the line begins with space.</summary>
    private static (bool Enabled, bool Active) Marks(ReadOnlySpan<char> columns, int stars) =>
        stars switch
        {
            0 => (false, false),
            1 => columns[0] == '*' ? (true, false) : (false, true),
            _ => (true, true),
        };

    private static ExtensionState StateOf(string state) =>
        state.StartsWith("activated enabled", StringComparison.Ordinal) ? ExtensionState.Activated
        : state.StartsWith("activated waiting", StringComparison.Ordinal) ? ExtensionState.WaitingForUser
        : state.StartsWith("activated disabled", StringComparison.Ordinal) ? ExtensionState.Disabled
        : state.StartsWith("terminat", StringComparison.Ordinal) ? ExtensionState.Terminated
        : ExtensionState.Activating;
}
