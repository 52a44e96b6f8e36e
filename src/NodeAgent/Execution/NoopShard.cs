using System.Diagnostics;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Kernels.Noops;
using EgpuFleet.NodeAgent.Workers;
using NoopFault = EgpuFleet.Grains.Interfaces.Jobs.NoopFault;
using WorkerFault = EgpuFleet.Kernels.Noops.NoopFault;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>One leased shard of no-ops: a lane in the worker. Its owner guards it.</summary>
internal sealed class NoopShard(ShardAssignment assignment, HeldLease lease, long lane, WorkerProcess worker)
{
    private List<ItemResult> unreported = [];
    private int next;

    public HeldLease Lease => lease;

    public long Lane => lane;

    public WorkerProcess Worker => worker;

    /// <summary>Whether a report of it is on its way; the next one waits.</summary>
    public bool Reporting { get; set; }

    /// <summary>Why it cannot go on here; null while it can.</summary>
    public ShardFailure? Failure { get; set; }

    /// <summary>When the worker must have answered, on the monotonic clock.</summary>
    public long DueAt { get; set; }

    public TimeSpan ItemDuration => TimeSpan.FromMilliseconds(assignment.Noop?.DurationMilliseconds ?? 0);

    /// <summary>Every item has its result, or it failed.</summary>
    public bool IsOver => Failure is not null || next == assignment.Items.Count;

    /// <summary>The report that ends it has been made.</summary>
    public bool LastWordSaid { get; private set; }

    /// <summary>Every payload can be sent.</summary>
    public bool IsSendable => assignment.Items.All(item => NoopChannel.Fits(item.Prompt ?? string.Empty));

    public bool HasUnreported => unreported.Count > 0;

    public bool HasFullReport => unreported.Count >= Limits.ReportItems;

    public IEnumerable<NoopWork> Work()
    {
        var milliseconds = assignment.Noop?.DurationMilliseconds ?? 0;
        var fault = FaultOf(assignment.Noop?.Fault ?? NoopFault.None);
        foreach (var item in assignment.Items)
            yield return new NoopWork(lane, item.Index, item.Prompt ?? string.Empty, milliseconds, fault);
    }

    /// <summary>False when the worker answered another item than the one it is at.</summary>
    public bool TryTake(in NoopAnswer answer)
    {
        if (IsOver || assignment.Items[next].Index != answer.Index || answer.Sha256 is null)
            return false;
        unreported.Add(
            new ItemResult(
                answer.Index,
                assignment.Items[next].CustomId,
                answer.Sha256,
                FinishReason: "stop",
                PromptTokens: 0,
                CompletionTokens: 0,
                ErrorCode: null,
                ErrorMessage: null,
                lease.Key.Device,
                worker.ProcessId,
                lease.Key.Epoch,
                answer.DurationMilliseconds,
                answer.StartedAt
            )
        );
        next++;
        return true;
    }

    /// <summary>All results that were not reported yet, with the last word where there is one.</summary>
    public ShardReport TakeReport()
    {
        var results = unreported;
        unreported = [];
        Reporting = true;
        LastWordSaid = IsOver;
        var outcome =
            !IsOver ? ShardOutcome.Progress
            : Failure is null ? ShardOutcome.Finished
            : ShardOutcome.Failed;
        return new ShardReport(lease.Key, outcome, results, Failure);
    }

    private static WorkerFault FaultOf(NoopFault fault) =>
        fault switch
        {
            NoopFault.None => WorkerFault.None,
            NoopFault.Fail => WorkerFault.Fail,
            NoopFault.FailRetryable => WorkerFault.FailRetryable,
            NoopFault.Crash => WorkerFault.Crash,
            NoopFault.Hang => WorkerFault.Hang,
            _ => throw new UnreachableException($"No such fault: {fault}"),
        };
}
