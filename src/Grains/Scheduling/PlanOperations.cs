using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>The operations that make a plan durable.</summary>
internal static class PlanOperations
{
    /// <summary>In the plan's order; a job's first shard is preceded by its move to running.</summary>
    public static IReadOnlyList<LedgerOperation> For(Plan plan, PoolMemory memory)
    {
        var operations = new List<LedgerOperation>();
        var started = new HashSet<JobId>();
        foreach (var placement in plan.Placements)
        {
            var job = placement.Shard.Job;
            if (memory.Jobs[job].State == JobState.Queued && started.Add(job))
                operations.Add(new LedgerOperation.StartJob(job));
            operations.Add(
                placement.IsNew
                    ? new LedgerOperation.StartShard(
                        placement.Shard,
                        placement.FirstItem,
                        placement.ItemCount,
                        placement.Device
                    )
                    : new LedgerOperation.RestartShard(placement.Shard, placement.Epoch, placement.Device)
            );
        }
        return operations;
    }
}

/// <summary>Facts about operations of every kind.</summary>
public static class LedgerOperations
{
    public static JobId JobOf(LedgerOperation operation) =>
        operation switch
        {
            LedgerOperation.SubmitJob submit => submit.Spec.Id,
            LedgerOperation.StartShard start => start.Id.Job,
            LedgerOperation.RestartShard restart => restart.Id.Job,
            LedgerOperation.RecordResults record => record.Id.Job,
            LedgerOperation.FinishShard finish => finish.Id.Job,
            LedgerOperation.FailShard fail => fail.Id.Job,
            LedgerOperation.RequeueShard requeue => requeue.Id.Job,
            LedgerOperation.StartJob start => start.Id,
            LedgerOperation.SucceedJob succeed => succeed.Id,
            LedgerOperation.EndJob end => end.Id,
            LedgerOperation.ExpireJob expire => expire.Id,
            LedgerOperation.HoldJob hold => hold.Id,
            LedgerOperation.ReleaseJob release => release.Id,
            LedgerOperation.PauseJob pause => pause.Id,
            LedgerOperation.ResumeJob resume => resume.Id,
            LedgerOperation.UnblockJob unblock => unblock.Id,
            _ => throw new ArgumentOutOfRangeException(nameof(operation), operation, "An operation of a new kind."),
        };
}
