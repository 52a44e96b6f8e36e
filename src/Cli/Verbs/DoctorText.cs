using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Verbs;

/// <summary>A check as people read it, of whichever machine.</summary>
/// <param name="State">ok, failed, skipped or unknown.</param>
internal sealed record DoctorLine(string Id, string State, string Seen, string? Cause, string? Fix);

/// <summary>Prints checks: what failed with its fix, then all of them, then what to do about what nobody can tell.</summary>
internal static class DoctorText
{
    public static void Print(FleetConsole console, IReadOnlyList<DoctorLine> checks)
    {
        foreach (var check in checks.Where(check => check.State == "failed"))
        {
            console.Line($"{Words(check.Id)}: {check.Seen}");
            console.Line($"  {check.Cause}");
            console.Line($"  Fix: {check.Fix}");
            console.Line();
        }
        console.Table(
            ["CHECK", "STATE", "SEEN"],
            checks.Select(check => (IReadOnlyList<string>)[Words(check.Id), check.State, check.Seen])
        );
        foreach (var check in checks.Where(check => check is { State: "unknown", Fix: not null }))
            console.Line($"{Words(check.Id)}: {check.Fix}");
    }

    private static string Words(string id) => id.Replace('_', ' ');
}
