using EgpuFleet.Api;
using EgpuFleet.Cli.Terminal;

namespace EgpuFleet.Cli.Jobs;

/// <summary>What became of the lines of a bulk submit, counted, with the first that were refused.</summary>
internal sealed class BulkSummary(string key)
{
    private const int ErrorsShown = 10;

    private readonly List<BulkOutcome> errors = [];

    /// <summary>Under which the same lines may be sent again.</summary>
    public string Key { get; } = key;

    /// <summary>Lines with an outcome.</summary>
    public int Lines { get; private set; }

    /// <summary>Lines that are jobs.</summary>
    public int Accepted { get; private set; }

    /// <summary>Those of them that an earlier try had made.</summary>
    public int Replayed { get; private set; }

    /// <summary>Lines that are wrong.</summary>
    public int Refused { get; private set; }

    /// <summary>Lines of which nobody knows.</summary>
    public int NotStored { get; private set; }

    public IReadOnlyList<BulkOutcome> Errors => errors;

    /// <summary>Whether every line is a job.</summary>
    public bool IsComplete => Lines > 0 && Accepted == Lines;

    public void See(BulkOutcome outcome)
    {
        Lines++;
        if (outcome.Error is null)
        {
            Accepted++;
            Replayed += outcome.Replayed == true ? 1 : 0;
            return;
        }
        if (outcome.Status == 503)
            NotStored++;
        else
            Refused++;
        if (errors.Count < ErrorsShown)
            errors.Add(outcome);
    }

    public void Print(FleetConsole console)
    {
        var replayed = Replayed == 0 ? "" : $" ({Replayed} of them before)";
        console.Line(
            $"{Accepted} of {Lines} lines accepted{replayed}, {Refused} refused, {NotStored} not known to be stored."
        );
        foreach (var outcome in errors)
            console.Line($"  line {outcome.Line}: {outcome.Error!.Detail} ({outcome.Error.Code})");
        if (Refused + NotStored > errors.Count)
            console.Line(
                $"  and {Refused + NotStored - errors.Count} more; --output FILE writes the outcome of each line."
            );
        if (NotStored > 0)
            console.Line($"Send the same lines again with --key {Key}: none becomes two jobs.");
    }
}
