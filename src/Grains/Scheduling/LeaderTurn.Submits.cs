using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>What the loop does about submits: those of one step go to the ledger together.</summary>
internal sealed partial class LeaderTurn
{
    private readonly List<(Input.Submit Input, int Index)> submits = [];
    private int submitsInFlight;

    // Of them, those whose start did not go with them: they will wait, and later ones must not overtake them.
    private int waitingInFlight;

    private void TakeSubmit(Input.Submit input)
    {
        for (var i = 0; i < input.Requests.Length; i++)
        {
            if (memory.Count + submits.Count + submitsInFlight >= options.MaxActiveJobs)
                input.ReplyAt(
                    i,
                    Refused(
                        input.Requests[i].Spec.Id,
                        RefusalCode.PoolFull,
                        $"The pool holds at most {options.MaxActiveJobs} jobs at once.",
                        "Wait until some have ended."
                    )
                );
            else
                submits.Add((input, i));
        }
        if (submits.Count >= Limits.SubmitsPerCommit)
            SendSubmits();
    }

    private void SendSubmits()
    {
        for (var first = 0; first < submits.Count; first += Limits.SubmitsPerCommit)
            Send(submits.GetRange(first, Math.Min(Limits.SubmitsPerCommit, submits.Count - first)), mayStart: true);
        submits.Clear();
    }

    /// <param name="mayStart">False where they go for a second time: what went with the first may still be on its way.</param>
    private void Send(List<(Input.Submit Input, int Index)> chunk, bool mayStart)
    {
        submitsInFlight += chunk.Count;
        var fresh = chunk.ConvertAll(one => OperationOf(one.Input.Requests[one.Index]));
        for (var i = 0; i < chunk.Count; i++)
        {
            if (chunk[i].Input.Models[chunk[i].Index] is { } model)
                memory.Shapes.For(fresh[i].Spec).Model ??= model;
        }
        var starts = mayStart ? StartAtOnce(fresh, i => chunk[i].Input.Models[chunk[i].Index]) : [];
        var waiting = fresh.Count - starts.Count(start => start is LedgerOperation.StartJob);
        waitingInFlight += waiting;
        Commit(
            [.. fresh, .. starts],
            outcomes =>
            {
                submitsInFlight -= chunk.Count;
                waitingInFlight -= waiting;
                TakeBackRefused(fresh, starts, outcomes);
                for (var i = 0; i < chunk.Count; i++)
                    TakeSubmitted(chunk[i].Input, chunk[i].Index, fresh[i], outcomes[i]);
                TakePlan(starts, [.. outcomes.Skip(fresh.Count)]);
            },
            why =>
            {
                foreach (var one in chunk)
                    one.Input.Abandon(why);
            },
            why =>
            {
                submitsInFlight -= chunk.Count;
                waitingInFlight -= waiting;
                TakeBack(fresh, starts);
                TakeRejected(chunk, why);
            }
        );
    }

    /// <summary>
    /// The starts that can go to the ledger with the submits of their jobs: when nobody waits and slots are free, a job is on
    /// its way to its device after one commit rather than two.
    /// </summary>
    private List<LedgerOperation> StartAtOnce(List<LedgerOperation.SubmitJob> fresh, Func<int, ModelRecord?> modelOf)
    {
        if (waitingInFlight > 0 || memory.SnapshotOf(fresh, modelOf) is not { Queue.IsEmpty: false } snapshot)
            return [];
        var plan = Planner.Plan(snapshot);
        return plan.Placements.IsEmpty
            ? []
            : memory.Take(plan, fresh.DistinctBy(one => one.Spec.Id).ToDictionary(one => one.Spec.Id));
    }

    /// <summary>A start that went with a submit is void when the submit was refused.</summary>
    private void TakeBackRefused(
        List<LedgerOperation.SubmitJob> fresh,
        List<LedgerOperation> starts,
        IReadOnlyList<LedgerOutcome> outcomes
    )
    {
        if (starts.Count == 0)
            return;
        var begun = starts.OfType<LedgerOperation.StartJob>().Select(start => start.Id).ToHashSet();
        for (var i = 0; i < fresh.Count; i++)
        {
            var id = fresh[i].Spec.Id;
            if (!outcomes[i].Applied && begun.Contains(id) && memory.StateOf(id) == JobState.Queued)
                memory.Forget(id);
        }
    }

    private void TakeBack(List<LedgerOperation.SubmitJob> fresh, List<LedgerOperation> starts)
    {
        foreach (var start in starts.OfType<LedgerOperation.StartJob>())
            memory.Forget(start.Id);
        foreach (var start in starts.OfType<LedgerOperation.StartShard>())
            memory.GiveBack(start.Id);
    }

    /// <summary>The ledger cannot store one of them: each is tried by itself, so that only that one is refused.</summary>
    private void TakeRejected(List<(Input.Submit Input, int Index)> chunk, Exception why)
    {
        if (chunk.Count > 1)
        {
            foreach (var one in chunk)
                Send([one], mayStart: false);
            return;
        }
        var (input, index) = chunk[0];
        input.ReplyAt(
            index,
            Refused(
                input.Requests[index].Spec.Id,
                RefusalCode.TooLarge,
                $"The ledger cannot store it: {why.Message}",
                "Change the text that it cannot hold."
            )
        );
    }

    private void TakeSubmitted(Input.Submit input, int index, LedgerOperation.SubmitJob submit, LedgerOutcome outcome)
    {
        var id = submit.Spec.Id;
        if (outcome.Applied)
        {
            memory.AddSubmitted(submit, outcome);
            hasChanged = true;
            LogSubmitted(logger, id, submit.Spec.ItemCount, submit.Spec.Priority);
            // What it depends on may have ended as it must not, before it came.
            if (submit.Spec.Rules.DependsOn.Count > 0)
                Resolve([id]);
            input.ReplyAt(
                index,
                new SubmitReply(SubmitOutcome.Accepted, id, Refusal: null, outcome.State, outcome.CreatedAt)
            );
        }
        else if (outcome.ExistingJob is { } existing)
        {
            var how = outcome.KeyReused ? SubmitOutcome.KeyReused : SubmitOutcome.Replayed;
            input.ReplyAt(index, new SubmitReply(how, existing));
        }
        else if (MissingDependency(submit, outcome) is { } missing)
        {
            input.ReplyAt(
                index,
                Refused(
                    id,
                    RefusalCode.UnknownDependency,
                    $"It depends on {missing}, and there is no such job.",
                    "Submit that job first, or take it out of depends_on.",
                    missing
                )
            );
        }
        else if (memory.StateOf(id) is { } state)
        {
            // The same submit again, after its sender lost the first answer.
            input.ReplyAt(index, new SubmitReply(SubmitOutcome.Accepted, id, Refusal: null, state));
        }
        else
        {
            input.Abandon(new PoolUnavailableException("The input of the job is not staged any more; send it again."));
        }
    }

    private static JobId? MissingDependency(LedgerOperation.SubmitJob submit, LedgerOutcome outcome)
    {
        for (var i = 0; i < outcome.Dependencies?.Count; i++)
        {
            if (outcome.Dependencies[i] is null)
                return submit.Spec.Rules.DependsOn[i].Job;
        }
        return null;
    }

    private void AbandonSubmits(Exception why)
    {
        foreach (var (input, _) in submits)
            input.Abandon(why);
    }

    private static LedgerOperation.SubmitJob OperationOf(SubmitRequest request) =>
        new(request.Spec, request.IdempotencyKey, request.Items);

    private static SubmitReply Refused(JobId job, RefusalCode code, string message, string action, JobId? by = null) =>
        new(SubmitOutcome.Refused, job, new Refusal(code, message, action, by));
}
