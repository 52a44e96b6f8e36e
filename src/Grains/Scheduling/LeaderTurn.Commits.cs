using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>How the loop makes things durable, and what follows when they are.</summary>
internal sealed partial class LeaderTurn
{
    /// <summary>Sends operations to the ledger; when they are durable, memory takes them in before <paramref name="then"/>.</summary>
    private void Commit(
        IReadOnlyList<LedgerOperation> operations,
        Action<IReadOnlyList<LedgerOutcome>> then,
        Action<Exception> abandon,
        Action<Exception>? rejected = null
    ) =>
        commits.Send(
            operations,
            outcomes =>
            {
                for (var i = 0; i < operations.Count; i++)
                {
                    if (outcomes[i].Applied)
                        TakeDurable(operations[i], outcomes[i]);
                }
                then(outcomes);
                CompleteJobsDone(operations);
                TakeEnded();
            },
            abandon,
            rejected
        );

    /// <summary>Takes one durable operation into memory, and notes what is to be told to whom.</summary>
    private void TakeDurable(LedgerOperation operation, LedgerOutcome outcome)
    {
        memory.Apply(operation, outcome);
        switch (operation)
        {
            case LedgerOperation.StartJob start:
                ObserveStart(start.Id);
                break;
            case LedgerOperation.StartShard start:
                Assign(start.Id);
                break;
            case LedgerOperation.RestartShard restart:
                Assign(restart.Id);
                break;
            case LedgerOperation.FinishShard or LedgerOperation.FailShard:
                hasChanged = true;
                break;
            case LedgerOperation.RequeueShard requeue:
                hasChanged = true;
                LogRequeued(logger, requeue.Id, requeue.Epoch, requeue.Reason);
                parts.Metrics.ShardRequeued();
                break;
            case LedgerOperation.RecordResults:
                parts.Metrics.ResultsRecorded(outcome.NewResults?.Count ?? 0);
                break;
        }
        if (outcome.Sequence > 0)
            parts.Signals.Raise(LedgerOperations.JobOf(operation), outcome.Sequence);
    }

    private void ObserveStart(JobId id)
    {
        if (memory.FindStarted(id) is { } job)
            parts.Metrics.JobStarted(job.Priority, memory.DatabaseNow - job.CreatedAt);
    }

    /// <summary>Leases that were cut are stopped; jobs that waited for one that has ended are looked at.</summary>
    private void TakeEnded()
    {
        if (memory.Cut.Count > 0)
        {
            toStop.AddRange(memory.Cut);
            memory.Cut.Clear();
            hasChanged = true;
        }
        if (memory.Ended.Count == 0)
            return;
        var dependents = new List<JobId>();
        foreach (var (job, state) in memory.Ended)
        {
            LogEnded(logger, job, state);
            dependents.AddRange(memory.Dependencies.End(job, state));
        }
        memory.Ended.Clear();
        Resolve(dependents);
    }

    private void CompleteJobsDone(IReadOnlyList<LedgerOperation> operations)
    {
        var last = default(JobId);
        foreach (var operation in operations)
        {
            var id = LedgerOperations.JobOf(operation);
            if (id != last && memory.FindStarted(id) is { } job)
                CompleteIfDone(job);
            last = id;
        }
    }

    /// <summary>Moves a job on whose last shard ended without doing so itself; rare, since most last reports carry the move.</summary>
    private void CompleteIfDone(JobEntry job)
    {
        var isDone = job.State == JobState.Running && job.Shards.Count == 0 && job.NextItem == job.ItemCount;
        if (!isDone || job.IsEnding)
            return;
        job.IsEnding = true;
        Commit([ReportDecision.Succeeded(job)], outcomes => MustHold(outcomes[0].Applied, job.Id), _ => { });
    }

    /// <summary>An operation may be refused because its job has ended in the meantime; for nothing else.</summary>
    private void MustHold(bool isApplied, JobId job)
    {
        if (!isApplied && memory.Contains(job))
            throw new StaleMemoryException($"{job}: active here, but the ledger refuses what follows from that.");
    }

    /// <summary>What a term that ended in the middle of it left to do.</summary>
    private void TakeUpWhereLeft()
    {
        foreach (var job in memory.Started)
            CompleteIfDone(job);
        Resolve(memory.Dependencies.All);
        LookUpModels(_ => true);
    }
}
