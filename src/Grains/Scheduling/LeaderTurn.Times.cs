using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does because time has passed.</summary>
internal sealed partial class LeaderTurn
{
    private TimeSpan modelsAskedAt;

    private void TakeTick()
    {
        Lose(
            memory.Leases.Expired(Now),
            lease => $"Node '{lease.Device.Node}' was not heard for {options.LeaseDuration.TotalSeconds:0} s."
        );
        TakeDue();
        if (Now - modelsAskedAt >= Limits.ModelRetry)
            LookUpModels(shape => !shape.Queue.IsEmpty);
        // A device may be silent, or held back no more, without any other sign.
        hasChanged = true;
        parts.Metrics.Observe(memory, term.Epoch);
    }

    private void TakeDue()
    {
        memory.PruneDueTimes();
        var expired = new List<LedgerOperation>();
        while (
            expired.Count < Limits.DependentsPerCommit
            && memory.Due.TryTake(memory.DatabaseNow, out var job, out var kind)
        )
        {
            if (kind == DueKind.Backoff)
            {
                if (memory.FindStarted(job) is { } waiting)
                    memory.Refresh(waiting);
            }
            else if (memory.Contains(job) && !expired.Exists(one => LedgerOperations.JobOf(one) == job))
            {
                expired.Add(new LedgerOperation.ExpireJob(job, EndOf(kind)));
            }
        }
        if (expired.Count > 0)
            Move(expired, outcomes => TakeExpired(expired, outcomes), _ => { });
    }

    /// <summary>What the ledger found too early is asked for again.</summary>
    private void TakeExpired(List<LedgerOperation> operations, IReadOnlyList<LedgerOutcome> outcomes)
    {
        hasChanged = true;
        for (var i = 0; i < operations.Count; i++)
        {
            var expire = (LedgerOperation.ExpireJob)operations[i];
            if (outcomes[i].Applied || !memory.Contains(expire.Id))
                continue;
            var kind = expire.End.Code == JobEndCode.DeadlineExceeded ? DueKind.Deadline : DueKind.RunTime;
            memory.Due.Add(expire.Id, kind, memory.DatabaseNow + Limits.ExpiryRetry);
        }
    }

    private static JobEnd EndOf(DueKind kind) =>
        kind == DueKind.Deadline
            ? new JobEnd(JobEndCode.DeadlineExceeded, "Its deadline passed before it was done.")
            : new JobEnd(JobEndCode.RunTimeExceeded, "It ran longer than it may.");

    /// <summary>Asks the registry for the models that are not known; one that was not registered may be by now.</summary>
    private void LookUpModels(Predicate<Shape> isNeeded)
    {
        modelsAskedAt = Now;
        foreach (var shape in memory.Shapes.All)
        {
            if (shape.IsModelMissing && isNeeded(shape))
                InBackground(() => LookUpModelAsync(shape));
        }
    }

    private async Task LookUpModelAsync(Shape shape)
    {
        try
        {
            if (await parts.Models.FindAsync(shape.ModelRef!, stopped.Token) is { } model)
                inbox.Writer.TryWrite(new Input.ModelFound(shape, model));
        }
        // The registry may be moving to another silo; jobs of the model wait until it answers.
        catch (Exception exception) when (exception is OrleansException or TimeoutException)
        {
            LogModelNotRead(logger, exception, shape.ModelRef!.Name);
        }
    }
}
