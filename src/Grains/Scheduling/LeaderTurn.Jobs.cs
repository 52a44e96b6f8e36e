using EgpuFleet.Grains.Fleet;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about jobs and plans.</summary>
internal sealed partial class LeaderTurn
{
    private void TakeSubmit(Input.Submit submit)
    {
        if (memory.Jobs.Count >= Limits.MaxActiveJobs)
        {
            submit.Reply(Refused(submit, $"The pool holds at most {Limits.MaxActiveJobs} jobs at once."));
            return;
        }
        Commit(
            [new LedgerOperation.SubmitJob(submit.Spec, submit.Key, submit.Items)],
            outcomes => TakeSubmitted(submit, outcomes[0]),
            submit.Abandon,
            why => submit.Reply(Refused(submit, $"The ledger cannot store it: {why.Message}"))
        );
    }

    private static SubmitReply Refused(Input.Submit submit, string message) =>
        new(SubmitOutcome.Refused, submit.Spec.Id, new Refusal(RefusalCode.TooLarge, message));

    private void TakeSubmitted(Input.Submit submit, LedgerOutcome outcome)
    {
        var id = submit.Spec.Id;
        if (outcome.Applied)
        {
            memory.AddJob(submit.Spec, submit.Model, parts.Time.GetUtcNow());
            hasChanged = true;
            LogSubmitted(logger, id, submit.Spec.ItemCount, submit.Spec.Priority);
            submit.Reply(new SubmitReply(SubmitOutcome.Accepted, id, Refusal: null, outcome.State, outcome.CreatedAt));
        }
        else if (outcome.ExistingJob is { } existing)
        {
            var how = outcome.KeyReused ? SubmitOutcome.KeyReused : SubmitOutcome.Replayed;
            submit.Reply(new SubmitReply(how, existing));
        }
        else if (outcome.Dependencies is { } known && known.Contains(null))
        {
            var missing = submit.Spec.Rules.DependsOn[known.ToList().IndexOf(null)].Job;
            var refusal = new Refusal(RefusalCode.UnknownDependency, $"There is no job {missing}.", BlockedBy: missing);
            submit.Reply(new SubmitReply(SubmitOutcome.Refused, id, refusal));
        }
        else if (memory.Jobs.ContainsKey(id))
        {
            // The same submit again, after its sender lost the first answer.
            submit.Reply(new SubmitReply(SubmitOutcome.Accepted, id));
        }
        else
        {
            submit.Abandon(new PoolUnavailableException("The input of the job is not staged any more; send it again."));
        }
    }

    private void TakeCancel(Input.Cancel cancel)
    {
        if (!memory.Jobs.TryGetValue(cancel.Job, out var job))
        {
            cancel.Reply(false);
            return;
        }
        job.IsEnding = true;
        var end = new JobEnd(JobEndCode.Cancelled, "Cancelled by its owner.");
        Commit(
            [new LedgerOperation.EndJob(cancel.Job, JobState.Cancelled, end)],
            outcomes =>
            {
                MustHold(outcomes[0].Applied, cancel.Job);
                cancel.Reply(true);
            },
            cancel.Abandon
        );
    }

    private void TakeSteer(Input.Steer steer)
    {
        LedgerOperation operation = steer.How switch
        {
            JobSteering.Hold => new LedgerOperation.HoldJob(steer.Job),
            JobSteering.Release => new LedgerOperation.ReleaseJob(steer.Job),
            JobSteering.Pause => new LedgerOperation.PauseJob(steer.Job),
            JobSteering.Resume => new LedgerOperation.ResumeJob(steer.Job),
            _ => throw new ArgumentOutOfRangeException(nameof(steer), steer.How, "A steering of a new kind."),
        };
        Commit([operation], outcomes => steer.Reply(outcomes[0].Applied), steer.Abandon);
    }

    private void TakePlan(IReadOnlyList<LedgerOperation> operations, IReadOnlyList<LedgerOutcome> outcomes)
    {
        isPlanInFlight = false;
        // What waited behind this plan is planned with the state as it is now.
        hasChanged = true;
        for (var i = 0; i < operations.Count; i++)
            MustHold(outcomes[i].Applied, LedgerOperations.JobOf(operations[i]));
    }

    /// <summary>Takes one durable operation into memory, and notes what is to be told to whom.</summary>
    private void TakeDurable(LedgerOperation operation, LedgerOutcome outcome)
    {
        if (operation is LedgerOperation.StartJob started)
            ObserveStart(started.Id);
        toStop.AddRange(memory.Apply(operation, outcome));
        switch (operation)
        {
            case LedgerOperation.StartShard start:
                Assign(start.Id);
                break;
            case LedgerOperation.RestartShard restart:
                Assign(restart.Id);
                break;
            case LedgerOperation.RequeueShard requeue:
                LogRequeued(logger, requeue.Id, requeue.Epoch, requeue.Reason);
                parts.Metrics.ShardRequeued();
                break;
            case LedgerOperation.RecordResults:
                parts.Metrics.ResultsRecorded(outcome.NewResults?.Count ?? 0);
                break;
            case LedgerOperation.EndJob end:
                LogEnded(logger, end.Id, end.To, end.End.Message);
                break;
        }
        if (outcome.Sequence > 0)
            parts.Signals.Raise(LedgerOperations.JobOf(operation), outcome.Sequence);
    }

    private void Assign(ShardId id)
    {
        var job = memory.Jobs[id.Job];
        var shard = job.Shards[id.Number];
        // The planner places no job without its model.
        toStart.Add(new Assignment(shard.Lease, shard.FirstItem, shard.ItemCount, job.Spec, job.Model));
    }

    private void ObserveStart(JobId id)
    {
        if (memory.Jobs.TryGetValue(id, out var job))
            parts.Metrics.JobStarted(job.Spec.Priority, parts.Time.GetUtcNow() - job.CreatedAt);
    }

    private void CompleteJobsDone(IReadOnlyList<LedgerOperation> operations)
    {
        foreach (var id in operations.Select(LedgerOperations.JobOf).Distinct())
        {
            if (memory.Jobs.TryGetValue(id, out var job))
                CompleteIfDone(job);
        }
    }

    private void CompleteJobsDone()
    {
        foreach (var job in memory.Jobs.Values)
            CompleteIfDone(job);
    }

    /// <summary>Moves a job on whose last shard ended without doing so itself; rare, since most last reports carry the move.</summary>
    private void CompleteIfDone(JobEntry job)
    {
        var isDone = job.State == JobState.Running && job.Shards.Count == 0 && job.NextItem == job.Spec.ItemCount;
        if (!isDone || job.IsEnding)
            return;
        job.IsEnding = true;
        Commit([ReportDecision.Succeeded(job)], outcomes => MustHold(outcomes[0].Applied, job.Spec.Id), _ => { });
    }

    /// <summary>An operation may be refused because its job has ended in the meantime; for nothing else.</summary>
    private void MustHold(bool isApplied, JobId job)
    {
        if (!isApplied && memory.Jobs.ContainsKey(job))
            throw new StaleMemoryException($"{job}: active here, but the ledger refuses what follows from that.");
    }
}
