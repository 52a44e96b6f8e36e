using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Clients;

/// <summary>
/// Somebody who submits, cancels and steers jobs, as the gateway does for its callers: a submit that was not answered is
/// sent again under its key, as another job.
/// </summary>
internal sealed class Client(
    Place place,
    Dice dice,
    Workload workload,
    PoolDirectory pool,
    ILedger ledger,
    TimeProvider databaseClock,
    ClientLog log,
    Trace trace
)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly JobMaker maker = new(dice.Fork(), workload);
    private readonly List<(string Key, TenantId Tenant)> usedKeys = [];

    public bool IsDone { get; private set; }

    /// <summary>Makes a number of calls, one after the other, with pauses of up to a length.</summary>
    public async Task RunAsync(int calls, TimeSpan longestPause)
    {
        for (var i = 0; i < calls; i++)
        {
            await Task.Delay(dice.Between(TimeSpan.Zero, longestPause), place.Clock);
            if (log.Known.Count > 0 && dice.Chance(workload.SteeringShare))
                await SteerAsync(SomeJob(), dice.PickEnum<JobSteering>());
            else if (log.Known.Count > 0 && dice.Chance(0.1))
                await AskWhyAsync();
            else if (log.Known.Count > 0 && dice.Chance(0.2))
                await CancelAsync(SomeJob());
            else
                await SubmitAsync();
        }
        IsDone = true;
    }

    /// <summary>Submits a job or several at once; what was not answered is sent again under the same keys.</summary>
    private async Task SubmitAsync()
    {
        var drafts = Enumerable.Range(0, dice.Chance(0.1) ? dice.Between(2, 5) : 1).Select(_ => Draft()).ToList();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var requests = new List<SubmitRequest>();
            foreach (var draft in drafts)
                requests.Add(await PrepareAsync(draft));
            if (await TrySubmitAsync(requests) || (drafts.Exists(d => d.IdempotencyKey is null) && dice.Chance(0.5)))
                return;
            await Task.Delay(dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), place.Clock);
        }
    }

    private SubmitRequest Draft()
    {
        var (spec, items) = maker.Make(log.Known, databaseClock.GetUtcNow());
        if (usedKeys.Count > 0 && dice.Chance(0.05))
        {
            // The mistake of using a key for another job.
            var (used, tenant) = dice.Pick(usedKeys);
            return new SubmitRequest(spec with { Tenant = tenant }, new IdempotencyKey(used, "another body"), items);
        }
        if (dice.Chance(0.15))
            return new SubmitRequest(spec, IdempotencyKey: null, items);
        var key = $"{place.Host}-{usedKeys.Count}";
        usedKeys.Add((key, spec.Tenant));
        return new SubmitRequest(spec, new IdempotencyKey(key, $"body of {key}"), items);
    }

    /// <summary>Each try is another job; its items come with it, or are staged before.</summary>
    private async Task<SubmitRequest> PrepareAsync(SubmitRequest draft)
    {
        var spec = draft.Spec with { Id = new JobId(dice.NextId(databaseClock.GetUtcNow())) };
        if (dice.Chance(0.7))
            return draft with { Spec = spec };
        while (true)
        {
            try
            {
                await ledger.StageItemsAsync(spec.Id, draft.Items!.ToAsyncEnumerable(), CancellationToken.None);
                return draft with { Spec = spec, Items = null };
            }
            catch (LedgerUnavailableException)
            {
                // It may have been staged; another id leaves that to be swept.
                spec = spec with
                {
                    Id = new JobId(dice.NextId(databaseClock.GetUtcNow())),
                };
                await Task.Delay(TimeSpan.FromSeconds(1), place.Clock);
            }
        }
    }

    /// <summary>False when it is worth another try.</summary>
    private async Task<bool> TrySubmitAsync(List<SubmitRequest> requests)
    {
        SubmitReply[] replies;
        try
        {
            replies = await pool.CallAsync(place, Patience, silo => silo.SubmitAsync([.. requests]));
        }
        // Whatever went wrong on the way: it may have been done or not.
        catch (Exception why)
        {
            foreach (var request in requests)
                Record(request, why.GetType().Name, job: null, CallOutcome.Indeterminate);
            return false;
        }
        for (var i = 0; i < replies.Length; i++)
            Record(requests[i], replies[i]);
        return true;
    }

    private void Record(SubmitRequest request, SubmitReply reply)
    {
        var isTaken = reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Replayed;
        JobId? job = isTaken ? reply.Job : null;
        Record(request, $"{reply.Outcome}", job, isTaken ? CallOutcome.Acknowledged : CallOutcome.Refused);
        if (isTaken)
            log.Known.Add(reply.Job);
        // The answer to a submit that came twice may leave it out.
        if (reply.Outcome == SubmitOutcome.Accepted && reply.CreatedAt != default)
            log.CreatedAt.Add((reply.Job, reply.CreatedAt));
    }

    private void Record(SubmitRequest request, string what, JobId? job, CallOutcome outcome)
    {
        trace.Note(place.Host, $"submit {OperationText.Of(request.Spec.Id)}: {what}");
        var key = request.IdempotencyKey?.Key;
        log.Submits.Add(new SubmitCall(request.Spec.Tenant.Value, key, job?.ToString(), outcome));
    }

    /// <summary>Mostly one of the last, which may not have ended yet.</summary>
    private JobId SomeJob() =>
        dice.Chance(0.7) ? log.Known[^(1 + dice.Next(Math.Min(4, log.Known.Count)))] : dice.Pick(log.Known);

    private async Task AskWhyAsync()
    {
        try
        {
            var reasons = await pool.CallAsync(place, Patience, silo => silo.ExplainAsync(log.Known));
            foreach (var (job, why) in reasons)
                trace.Note(place.Host, $"{OperationText.Of(job)} waits: {why.Code}");
        }
        // Nobody relies on it.
        catch (Exception why)
        {
            trace.Note(place.Host, $"why: {why.GetType().Name}");
        }
    }

    private async Task CancelAsync(JobId job)
    {
        try
        {
            var record = await pool.CallAsync(place, Patience, silo => silo.CancelAsync(job));
            trace.Note(place.Host, $"cancel {OperationText.Of(job)}: {record?.State}");
            JobPhase? phase = record is null ? null : ClientLog.PhaseOf(record.State);
            log.Cancels.Add(new CancelCall(job.ToString(), phase, CallOutcome.Acknowledged));
        }
        // Whatever went wrong on the way: it may have been done or not.
        catch (Exception why)
        {
            trace.Note(place.Host, $"cancel {OperationText.Of(job)}: {why.GetType().Name}");
            log.Cancels.Add(new CancelCall(job.ToString(), State: null, CallOutcome.Indeterminate));
        }
    }

    private async Task SteerAsync(JobId job, JobSteering how)
    {
        try
        {
            var reply = await pool.CallAsync(place, Patience, silo => silo.SteerAsync(job, how));
            trace.Note(place.Host, $"{how} {OperationText.Of(job)}: {reply.Applied}, {reply.Job?.State}");
        }
        // Nobody relies on it.
        catch (Exception why)
        {
            trace.Note(place.Host, $"{how} {OperationText.Of(job)}: {why.GetType().Name}");
        }
    }
}
