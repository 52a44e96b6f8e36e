namespace EgpuFleet.TestKit.Checkers;

/// <summary>What a place promises: never more leases at once than it has room for.</summary>
public static class CapacityRules
{
    /// <summary>J8, in commit order. A place that is not known has no room at all.</summary>
    public static IEnumerable<Violation> NeverExceeded(History history, FinalLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var places = new Dictionary<(string Job, int Shard), string>();
        var shards = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        var held = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var write in ledger.Writes)
        {
            if (write is { Kind: WriteKind.ShardStarted, Shard: { } started, Place: { } place })
            {
                // A second start while one is live is J4's to tell; the slot counts once.
                End(write.Job, started);
                places[(write.Job, started)] = place;
                if (!shards.TryGetValue(write.Job, out var numbers))
                    shards.Add(write.Job, numbers = []);
                numbers.Add(started);
                held[place] = held.GetValueOrDefault(place) + 1;
                if (held[place] > ledger.Capacity.GetValueOrDefault(place))
                    yield return new Violation("J8", $"{place} held {held[place]} leases with {write.Job}");
            }
            else if (EndsLease(write.Kind) && write.Shard is { } ended)
            {
                End(write.Job, ended);
            }
            else if (EndsAllLeases(write.Kind) && shards.Remove(write.Job, out var all))
            {
                foreach (var number in all)
                    End(write.Job, number);
            }
        }

        void End(string job, int shard)
        {
            if (places.Remove((job, shard), out var place))
                held[place]--;
        }
    }

    private static bool EndsLease(WriteKind kind) =>
        kind is WriteKind.ShardFinished or WriteKind.ShardRequeued or WriteKind.ShardFailed;

    private static bool EndsAllLeases(WriteKind kind) =>
        kind is WriteKind.JobPaused or WriteKind.Succeeded or WriteKind.Failed or WriteKind.Cancelled;
}
