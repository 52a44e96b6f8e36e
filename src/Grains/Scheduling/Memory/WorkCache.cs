using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// Specs and items of small jobs submitted a moment ago, so that a job that starts at once is not read from the database
/// first. Bounded in bytes: beyond it, and for what is not here, the ledger is read.
/// </summary>
internal sealed class WorkCache(long maxBytes)
{
    // What an entry takes beside its texts: spec, items, lists, and its place in the table.
    private const int OverheadBytes = 1024;
    private const int ItemOverheadBytes = 128;

    private readonly Dictionary<JobId, (Work Work, int Bytes)> entries = [];

    internal sealed record Work(JobSpec Spec, IReadOnlyList<BatchItem> Items);

    public long Bytes { get; private set; }

    /// <summary>Keeps the work of a job if there is room.</summary>
    public void Offer(JobSpec spec, IReadOnlyList<BatchItem> items)
    {
        var bytes = SizeOf(items);
        if (bytes > Limits.CachedJobBytes || Bytes + bytes > maxBytes || entries.ContainsKey(spec.Id))
            return;
        entries.Add(spec.Id, (new Work(spec, items), bytes));
        Bytes += bytes;
    }

    /// <summary>Gives the work of a job away, or null.</summary>
    public Work? Take(JobId job)
    {
        if (!entries.Remove(job, out var entry))
            return null;
        Bytes -= entry.Bytes;
        return entry.Work;
    }

    private static int SizeOf(IReadOnlyList<BatchItem> items)
    {
        var bytes = (long)OverheadBytes;
        foreach (var item in items)
        {
            bytes += ItemOverheadBytes * (1 + (item.Messages?.Length ?? 0));
            bytes += sizeof(char) * (item.CustomId.Length + item.CountCharacters());
            if (bytes > Limits.CachedJobBytes)
                return int.MaxValue;
        }
        return (int)bytes;
    }
}
