namespace EgpuFleet.TestKit.Checkers;

/// <summary>What a submit promises.</summary>
public static class SubmitRules
{
    /// <summary>J1: an acknowledged submit is never lost, and its job ends.</summary>
    public static IEnumerable<Violation> AcknowledgedSubmitsEnd(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var states = ledger.Jobs.ToLookup(job => job.Id, StringComparer.Ordinal);
        foreach (var job in Acknowledged(history).Select(call => call.Job!).Distinct(StringComparer.Ordinal))
        {
            if (!states.Contains(job))
                yield return new Violation("J1", $"job {job} was acknowledged and is lost");
            foreach (var stored in states[job].Where(stored => !stored.State.IsTerminal()))
                yield return new Violation("J1", $"job {job} was acknowledged and is still {stored.State}");
        }
    }

    /// <summary>J2: every job was submitted by somebody: acknowledged, or under a key whose call nobody answered.</summary>
    public static IEnumerable<Violation> NothingFromNowhere(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var known = Acknowledged(history).Select(call => call.Job!).ToHashSet(StringComparer.Ordinal);
        var unanswered = history.Submits.Where(call => call.Outcome == CallOutcome.Indeterminate).ToList();
        var keys = unanswered.Where(call => call.Key is not null).Select(call => (call.Tenant, call.Key)).ToHashSet();
        var nameless = unanswered.Count(call => call.Key is null);
        foreach (var job in ledger.Jobs.Where(job => !known.Contains(job.Id)))
        {
            if (job.Key is null ? --nameless < 0 : !keys.Contains((job.Tenant, job.Key)))
                yield return new Violation("J2", $"job {job.Id} (key {job.Key ?? "none"}) was submitted by nobody");
        }
    }

    /// <summary>J9: the same key means the same job, in every answer and in the ledger, and another key another one.</summary>
    public static IEnumerable<Violation> SameKeySameJob(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var told = Acknowledged(history).Select(call => (call.Tenant, call.Key, Job: call.Job!));
        var stored = ledger.Jobs.Select(job => (job.Tenant, job.Key, Job: job.Id));
        var pairs = told.Concat(stored).Where(pair => pair.Key is not null).Distinct().ToList();
        foreach (var key in pairs.GroupBy(pair => (pair.Tenant, pair.Key)).Where(group => group.Skip(1).Any()))
            yield return new Violation("J9", $"key {key.Key.Key} means jobs {Names(key.Select(pair => pair.Job))}");
        foreach (var job in pairs.GroupBy(pair => pair.Job, StringComparer.Ordinal).Where(group => group.Skip(1).Any()))
            yield return new Violation("J9", $"job {job.Key} came by keys {Names(job.Select(pair => pair.Key!))}");
    }

    private static IEnumerable<SubmitCall> Acknowledged(History history) =>
        history.Submits.Where(call => call.Outcome == CallOutcome.Acknowledged);

    private static string Names(IEnumerable<string> names) => string.Join(", ", names);
}
