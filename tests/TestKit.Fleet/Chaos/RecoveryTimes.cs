namespace EgpuFleet.TestKit.Fleet.Chaos;

/// <summary>
/// How long each fault was felt, from the ledger's log alone: where a node was hit, until the last shard that was running
/// there runs again or has ended; else until a job submitted after the fault is running. Faults overlap, so these are upper
/// bounds.
/// </summary>
internal static class RecoveryTimes
{
    private const int Submitted = 0;
    private const int ShardStarted = 2;

    /// <summary>Seconds by kind of fault; a fault that nobody felt, such as on an idle node, has none.</summary>
    public static IReadOnlyDictionary<FaultKind, IReadOnlyList<double>> Of(
        IReadOnlyList<FaultDone> faults,
        IReadOnlyList<RigEvent> events
    ) =>
        faults
            .Select(fault =>
                (fault.Kind, Seconds: fault.Node is null ? Again(fault, events) : Elsewhere(fault, events))
            )
            .Where(pair => pair.Seconds is not null)
            .GroupBy(pair => pair.Kind, pair => pair.Seconds!.Value)
            .ToDictionary(group => group.Key, group => (IReadOnlyList<double>)[.. group.Order()]);

    private static double? Again(FaultDone fault, IReadOnlyList<RigEvent> events)
    {
        var later = events.Where(entry => entry.Kind == Submitted && entry.At > fault.At);
        var jobs = later.Select(entry => entry.Job).ToHashSet();
        var started = events.FirstOrDefault(entry => entry.Kind == ShardStarted && jobs.Contains(entry.Job));
        return started is null ? null : (started.At - fault.At).TotalSeconds;
    }

    private static double? Elsewhere(FaultDone fault, IReadOnlyList<RigEvent> events)
    {
        var running = new Dictionary<(Guid, int?), RigEvent>();
        foreach (var entry in events.TakeWhile(entry => entry.At <= fault.At))
        {
            if (entry.Kind == ShardStarted && entry.Device!.StartsWith(fault.Node + "/", StringComparison.Ordinal))
                running[(entry.Job, entry.Shard)] = entry;
            else if (entry.Shard is not null)
                running.Remove((entry.Job, entry.Shard));
            else if (entry.Kind is 6 or 7 or 8 or 11)
                running.Keys.Where(shard => shard.Item1 == entry.Job).ToList().ForEach(shard => running.Remove(shard));
        }
        double? longest = null;
        foreach (var entry in events.Where(entry => entry.At > fault.At))
        {
            if (running.Count == 0)
                break;
            var settles = entry.Kind is ShardStarted or 3 or 5;
            var ends = entry.Kind is 6 or 7 or 8;
            var gone = ends
                ? running.Keys.Where(shard => shard.Item1 == entry.Job).ToList()
                : [(entry.Job, entry.Shard)];
            if (!settles && !ends)
                continue;
            var before = running.Count;
            gone.ForEach(shard => running.Remove(shard));
            if (running.Count < before)
                longest = (entry.At - fault.At).TotalSeconds;
        }
        return longest;
    }
}
