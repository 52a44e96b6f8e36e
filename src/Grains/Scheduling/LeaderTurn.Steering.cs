using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Memory;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does when owners, time or dependencies move a job.</summary>
internal sealed partial class LeaderTurn
{
    private void TakeCancel(Input.Cancel cancel)
    {
        if (!memory.Contains(cancel.Job))
        {
            cancel.Reply(false);
            return;
        }
        var end = new JobEnd(JobEndCode.Cancelled, "Cancelled by its owner.");
        Move(
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
        if (!memory.Contains(steer.Job))
        {
            steer.Reply(false);
            return;
        }
        LedgerOperation operation = steer.How switch
        {
            JobSteering.Hold => new LedgerOperation.HoldJob(steer.Job),
            JobSteering.Release => new LedgerOperation.ReleaseJob(steer.Job),
            JobSteering.Pause => new LedgerOperation.PauseJob(steer.Job),
            JobSteering.Resume => new LedgerOperation.ResumeJob(steer.Job),
            _ => throw new ArgumentOutOfRangeException(nameof(steer), steer.How, "A steering of a new kind."),
        };
        Move(
            [operation],
            outcomes =>
            {
                hasChanged = true;
                if (outcomes[0] is { Applied: true, Dependencies: { } states })
                    memory.SetDependencyStates(steer.Job, states);
                if (steer.How == JobSteering.Release)
                    Resolve([steer.Job]);
                steer.Reply(outcomes[0].Applied || IsAlready(steer));
            },
            steer.Abandon
        );
    }

    private bool IsAlready(Input.Steer steer) =>
        (steer.How, memory.StateOf(steer.Job)) switch
        {
            (JobSteering.Hold, JobState.Held) => true,
            (JobSteering.Release, JobState.Queued or JobState.Blocked) => true,
            (JobSteering.Pause, JobState.Paused) => true,
            (JobSteering.Resume, JobState.Running) => true,
            _ => false,
        };

    /// <summary>Looks at jobs whose dependencies have changed: those that may run now are queued, those that never will are ended.</summary>
    private void Resolve(IReadOnlyList<JobId> jobs)
    {
        foreach (var chunk in jobs.Chunk(Limits.DependentsPerCommit))
        {
            var operations = new List<LedgerOperation>(chunk.Length);
            foreach (var id in chunk)
            {
                if (OperationFor(id) is { } operation)
                    operations.Add(operation);
            }
            if (operations.Count == 0)
                continue;
            Move(
                operations,
                outcomes =>
                {
                    hasChanged = true;
                    for (var i = 0; i < operations.Count; i++)
                        MustBeResolved(operations[i], outcomes[i]);
                },
                _ => { }
            );
        }
    }

    private LedgerOperation? OperationFor(JobId id)
    {
        if (memory.FindWaiting(id) is not { IsEnding: false, State: JobState.Blocked or JobState.Held } entry)
            return null;
        var (verdict, because) = memory.Dependencies.Judge(id);
        return verdict switch
        {
            DependencyVerdict.Failed => new LedgerOperation.EndJob(
                id,
                JobState.Cancelled,
                new JobEnd(JobEndCode.DependencyFailed, $"It needed {because} to succeed, which did not.")
            ),
            DependencyVerdict.Met when entry.State == JobState.Blocked => new LedgerOperation.UnblockJob(id),
            _ => null,
        };
    }

    // A job may have been held or ended meanwhile; otherwise the ledger must see what is seen here.
    private void MustBeResolved(LedgerOperation operation, LedgerOutcome outcome)
    {
        var id = LedgerOperations.JobOf(operation);
        if (outcome.Applied || memory.StateOf(id) is not { } state)
            return;
        if (operation is LedgerOperation.UnblockJob && state != JobState.Blocked)
            return;
        MustHold(isApplied: false, id);
    }

    /// <summary>Commits operations, each of which moves a job of its own; none of those jobs is planned meanwhile.</summary>
    private void Move(
        IReadOnlyList<LedgerOperation> operations,
        Action<IReadOnlyList<LedgerOutcome>> then,
        Action<Exception> abandon
    )
    {
        foreach (var operation in operations)
            memory.BeginMove(LedgerOperations.JobOf(operation), isEnd: operation is LedgerOperation.EndJob);
        Commit(
            operations,
            outcomes =>
            {
                foreach (var operation in operations)
                    memory.EndMove(LedgerOperations.JobOf(operation));
                then(outcomes);
            },
            abandon
        );
    }
}
