namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// What waits of one shape, in queue order. Fresh jobs stand in one line per priority, where joining and leaving cost
/// the same for a million as for one; what comes back out of its turn (released, unblocked, or started with more to do) is
/// in a sorted set beside it, and is little.
/// </summary>
internal sealed class ShapeQueue
{
    private sealed class Line
    {
        public WaitingEntry? First;
        public WaitingEntry? Last;
    }

    private readonly SortedDictionary<int, Line> lines = new(Comparer<int>.Create((x, y) => y.CompareTo(x)));
    private readonly SortedSet<IQueued> returned = new(QueuedOrder.Instance);

    /// <summary>Jobs in it that have never started.</summary>
    public int WaitingCount { get; private set; }

    public bool IsEmpty => WaitingCount == 0 && returned.Count == 0;

    /// <summary>Puts a job in whose submit order is above that of all before it.</summary>
    public void Append(WaitingEntry entry)
    {
        if (!lines.TryGetValue(entry.Priority, out var line))
            lines.Add(entry.Priority, line = new Line());
        entry.Before = line.Last;
        if (line.Last is { } last)
            last.After = entry;
        else
            line.First = entry;
        line.Last = entry;
        entry.Place = QueuePlace.Line;
        WaitingCount++;
    }

    /// <summary>Puts a job in again, at the place of its submit order.</summary>
    public void Return(WaitingEntry entry)
    {
        returned.Add(entry);
        entry.Place = QueuePlace.Returned;
        WaitingCount++;
    }

    /// <summary>Takes a job out; does nothing when it is not in.</summary>
    public void Remove(WaitingEntry entry)
    {
        if (entry.Place == QueuePlace.None)
            return;
        if (entry.Place == QueuePlace.Returned)
            returned.Remove(entry);
        else
            Unlink(entry);
        entry.Place = QueuePlace.None;
        WaitingCount--;
    }

    /// <summary>Notes whether a job that has started has more to do.</summary>
    public void Set(JobEntry job, bool hasWork)
    {
        if (hasWork)
            returned.Add(job);
        else
            returned.Remove(job);
    }

    /// <summary>
    /// The first so many of each, in order. Those out of their turn are counted apart, and more of them are taken, since some
    /// may have to wait for one certain device: they must not hide the others.
    /// </summary>
    public void Collect(int maxInLine, int maxReturned, List<IQueued> into)
    {
        using var late = returned.Take(maxReturned + Limits.ReturnedAhead).GetEnumerator();
        var next = Next(late);
        foreach (var line in lines.Values)
        {
            if (maxInLine <= 0)
                break;
            for (var entry = line.First; entry is not null && maxInLine > 0; entry = entry.After, maxInLine--)
            {
                for (; next is not null && QueuedOrder.Instance.Compare(next, entry) < 0; next = Next(late))
                    into.Add(next);
                into.Add(entry);
            }
        }
        for (; next is not null; next = Next(late))
            into.Add(next);
    }

    private static IQueued? Next(IEnumerator<IQueued> queue) => queue.MoveNext() ? queue.Current : null;

    private void Unlink(WaitingEntry entry)
    {
        var line = lines[entry.Priority];
        if (entry.Before is { } before)
            before.After = entry.After;
        else
            line.First = entry.After;
        if (entry.After is { } after)
            after.Before = entry.Before;
        else
            line.Last = entry.Before;
        entry.Before = entry.After = null;
        if (line.First is null)
            lines.Remove(entry.Priority);
    }
}
