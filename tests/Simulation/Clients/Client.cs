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
    private int keys;

    public bool IsDone { get; private set; }

    /// <summary>Makes a number of calls, one after the other, with pauses of up to a length.</summary>
    public async Task RunAsync(int calls, TimeSpan longestPause)
    {
        for (var i = 0; i < calls; i++)
        {
            await Task.Delay(dice.Between(TimeSpan.Zero, longestPause), place.Clock);
            if (log.Known.Count > 0 && dice.Chance(workload.SteeringShare))
                await SteerAsync(dice.Pick(log.Known), dice.PickEnum<JobSteering>());
            else if (log.Known.Count > 0 && dice.Chance(0.2))
                await CancelAsync(dice.Pick(log.Known));
            else
                await SubmitAsync();
        }
        IsDone = true;
    }

    private async Task SubmitAsync()
    {
        var (spec, items) = maker.Make(log.Known, databaseClock.GetUtcNow());
        var key = dice.Chance(0.85) ? new IdempotencyKey($"{place.Host}-{keys++}", $"{place.Host}-{keys}") : null;
        if (usedKeys.Count > 0 && dice.Chance(0.05))
            (key, spec) = Reused(spec);
        else if (key is not null)
            usedKeys.Add((key.Key, spec.Tenant));
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var id = new JobId(dice.NextId(databaseClock.GetUtcNow()));
            if (await TrySubmitAsync(spec with { Id = id }, key, items) || (key is null && dice.Chance(0.5)))
                return;
            await Task.Delay(dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), place.Clock);
        }
    }

    /// <summary>The mistake of using a key for another job.</summary>
    private (IdempotencyKey, JobSpec) Reused(JobSpec spec)
    {
        var (key, tenant) = dice.Pick(usedKeys);
        return (new IdempotencyKey(key, "another body"), spec with { Tenant = tenant });
    }

    /// <summary>False when it is worth another try.</summary>
    private async Task<bool> TrySubmitAsync(JobSpec spec, IdempotencyKey? key, IReadOnlyList<BatchItem> items)
    {
        var isStaged = dice.Chance(0.3);
        try
        {
            if (isStaged)
                await ledger.StageItemsAsync(spec.Id, items.ToAsyncEnumerable(), CancellationToken.None);
        }
        catch (LedgerUnavailableException)
        {
            return false;
        }
        SubmitReply reply;
        try
        {
            var request = new SubmitRequest(spec, key, isStaged ? null : items);
            reply = (await pool.CallAsync(place, Patience, silo => silo.SubmitAsync([request])))[0];
        }
        // Whatever went wrong on the way: it may have been done or not.
        catch (Exception why)
        {
            trace.Note(place.Host, $"submit {OperationText.Of(spec.Id)}: {why.GetType().Name}");
            log.Submits.Add(new SubmitCall(spec.Tenant.Value, key?.Key, Job: null, CallOutcome.Indeterminate));
            return false;
        }
        trace.Note(place.Host, $"submit {OperationText.Of(spec.Id)}: {reply.Outcome} {OperationText.Of(reply.Job)}");
        var isTaken = reply.Outcome is SubmitOutcome.Accepted or SubmitOutcome.Replayed;
        log.Submits.Add(
            new SubmitCall(
                spec.Tenant.Value,
                key?.Key,
                isTaken ? reply.Job.ToString() : null,
                isTaken ? CallOutcome.Acknowledged : CallOutcome.Refused
            )
        );
        if (isTaken)
            log.Known.Add(reply.Job);
        if (reply.Outcome == SubmitOutcome.Accepted && reply.CreatedAt != default)
            log.CreatedAt.Add((reply.Job, reply.CreatedAt));
        return true;
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
