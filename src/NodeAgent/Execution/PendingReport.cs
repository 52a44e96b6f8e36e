using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>What became of a report.</summary>
internal enum ReportFate
{
    /// <summary>It is durable.</summary>
    Accepted,

    /// <summary>Its lease ended, by a fenced report or otherwise: it was not made durable, or nobody knows.</summary>
    LeaseEnded,
}

/// <summary>A report on its way; a lease has one at a time.</summary>
/// <param name="Done">Called once, on any thread; must not wait.</param>
internal sealed record PendingReport(HeldLease Lease, ShardReport Report, Action<ReportFate> Done)
{
    // Keys, counters and object headers of a report and of a result.
    private const int ReportOverheadBytes = 256;
    private const int ResultOverheadBytes = 160;

    /// <summary>Memory it holds, about.</summary>
    public long Bytes { get; } = ReportOverheadBytes + Report.Results.Sum(BytesOf);

    public static long BytesOf(ItemResult result)
    {
        var characters = (result.Text?.Length ?? 0) + (result.ErrorMessage?.Length ?? 0) + result.CustomId.Length;
        return ResultOverheadBytes + (sizeof(char) * (long)characters);
    }
}
