namespace EgpuFleet.TestKit.Checkers;

/// <summary>What results promise.</summary>
public static class ResultRules
{
    /// <summary>
    /// J7 (and the digest part of J3): one result per item, that never changes once it was seen, and all of them where a job
    /// succeeded.
    /// </summary>
    public static IEnumerable<Violation> OneResultPerItem(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(ledger);
        var stored = ledger.Results.ToLookup(result => (result.Job, result.Item), result => result.Digest);
        foreach (var twice in stored.Where(rows => rows.Skip(1).Any()))
            yield return new Violation("J7", $"item {twice.Key.Item} of {twice.Key.Job} has {twice.Count()} results");
        foreach (var seen in history.Results.Distinct())
        {
            if (!stored[(seen.Job, seen.Item)].Contains(seen.Digest, StringComparer.Ordinal))
                yield return new Violation("J7", $"item {seen.Item} of {seen.Job} had another result, or is lost");
        }
        var counts = stored.GroupBy(rows => rows.Key.Job).ToDictionary(job => job.Key, job => job.Count());
        foreach (var job in ledger.Jobs.Where(job => job.State == JobPhase.Succeeded))
        {
            if (counts.GetValueOrDefault(job.Id) != job.ItemCount)
                yield return new Violation(
                    "J7",
                    $"job {job.Id} succeeded with {counts.GetValueOrDefault(job.Id)} of {job.ItemCount} results"
                );
        }
        var sizes = ledger.Jobs.ToDictionary(job => job.Id, job => job.ItemCount, StringComparer.Ordinal);
        foreach (var (job, item) in stored.Select(rows => rows.Key))
        {
            if (!sizes.TryGetValue(job, out var size) || item < 0 || item >= size)
                yield return new Violation("J7", $"there is a result for item {item} of {job}, which does not exist");
        }
    }
}
