namespace EgpuFleet.TestKit.Checkers;

/// <summary>What the end of a job, and of a run, promises.</summary>
public static class EndRules
{
    /// <summary>J3: a job ends once, nobody ever saw another end of it, and nothing is written for it afterwards.</summary>
    public static IEnumerable<Violation> OneEndPerJob(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var ends = new Dictionary<string, JobPhase>(StringComparer.Ordinal);
        foreach (var write in ledger.Writes.Where(write => write.Kind != WriteKind.LeaderElected))
        {
            var end = EndOf(write.Kind);
            if (ends.TryGetValue(write.Job, out var earlier))
                yield return new Violation("J3", $"job {write.Job} was {earlier}, then came {write.Kind}");
            else if (end is { } phase)
                ends.Add(write.Job, phase);
        }
        foreach (var job in ledger.Jobs)
        {
            if (job.State.IsTerminal() && (!ends.TryGetValue(job.Id, out var end) || end != job.State))
                yield return new Violation("J3", $"job {job.Id} is {job.State} without the one write that says so");
            if (!job.State.IsTerminal() && ends.TryGetValue(job.Id, out var ended))
                yield return new Violation("J3", $"job {job.Id} is {job.State} although it was {ended}");
        }
        foreach (var job in TerminalStates(history, ledger).Where(states => states.Skip(1).Any()))
            yield return new Violation("J3", $"job {job.Key} was seen {string.Join(" and ", job)}");
    }

    /// <summary>J6: what a reader has seen settled stays settled, and an ended job does not go on.</summary>
    public static IEnumerable<Violation> ProgressNeverGoesBack(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        var last = new Dictionary<string, JobSighting>(StringComparer.Ordinal);
        foreach (var seen in history.Sightings)
        {
            if (last.TryGetValue(seen.Job, out var before))
            {
                if (seen.SettledItems < before.SettledItems)
                    yield return new Violation("J6", $"job {seen.Job}: {before.SettledItems} items, then fewer");
                if (before.State.IsTerminal() && !seen.State.IsTerminal())
                    yield return new Violation("J6", $"job {seen.Job}: {before.State}, then {seen.State}");
            }
            last[seen.Job] = seen;
        }
    }

    /// <summary>J10: an acknowledged cancel that says cancelled holds; a job that finished first says so instead.</summary>
    public static IEnumerable<Violation> CancelOrFinish(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var states = ledger.Jobs.ToDictionary(job => job.Id, job => job.State, StringComparer.Ordinal);
        foreach (var call in history.Cancels.Where(call => call.Outcome == CallOutcome.Acknowledged))
        {
            if (call.State is not { } said || !said.IsTerminal())
                yield return new Violation("J10", $"job {call.Job}: the cancel was done, the job said {call.State}");
            else if (states.TryGetValue(call.Job, out var end) && end != said)
                yield return new Violation("J10", $"job {call.Job}: the cancel's answer said {said}, it ended {end}");
        }
        var cancels = history.Cancels.Select(call => call.Job).ToHashSet(StringComparer.Ordinal);
        foreach (var job in ledger.Jobs.Where(job => job.State == JobPhase.Cancelled && !cancels.Contains(job.Id)))
        {
            if (
                !job.NeededInVain.Any(needed =>
                    states.GetValueOrDefault(needed) is JobPhase.Failed or JobPhase.Cancelled
                )
            )
                yield return new Violation("J10", $"job {job.Id} is cancelled, and nobody asked for it");
        }
    }

    /// <summary>J11: after the last repair the queue drains in bounded time.</summary>
    public static IEnumerable<Violation> DrainsInBoundedTime(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        if (history.Drain is not { } drain)
            yield break;
        if (drain.Unfinished > 0)
            yield return new Violation("J11", $"{drain.Unfinished} jobs had not ended after {drain.Waited}");
        else if (drain.Waited > drain.Bound)
            yield return new Violation("J11", $"draining took {drain.Waited}, more than {drain.Bound}");
    }

    private static IEnumerable<IGrouping<string, JobPhase>> TerminalStates(History history, FinalLedger ledger) =>
        history
            .Sightings.Select(seen => (seen.Job, seen.State))
            .Concat(ledger.Jobs.Select(job => (Job: job.Id, job.State)))
            .Where(pair => pair.State.IsTerminal())
            .Distinct()
            .GroupBy(pair => pair.Job, pair => pair.State, StringComparer.Ordinal);

    private static JobPhase? EndOf(WriteKind kind) =>
        kind switch
        {
            WriteKind.Succeeded => JobPhase.Succeeded,
            WriteKind.Failed => JobPhase.Failed,
            WriteKind.Cancelled => JobPhase.Cancelled,
            _ => null,
        };
}
