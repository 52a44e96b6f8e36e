using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Agents;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Rules;

/// <summary>Holds what a run recorded against all rules.</summary>
internal static class Verdict
{
    private const int MostPerRule = 5;

    /// <param name="healthySince">By the database's clock: when everything was healed and had a leader again.</param>
    public static IReadOnlyList<Violation> On(SimulatedFleet fleet, Drain drain, DateTimeOffset healthySince)
    {
        var accepted = fleet.Ledger.Accepted;
        var log = fleet.Log;
        var results = log.Results.Concat(FirstResults(accepted)).ToList();
        var history = new History(log.Submits, [.. log.Cancels, .. Cascades(accepted)], log.Sightings, results, drain);
        var ledger = new FinalLedger(
            [.. Jobs(accepted, fleet.Ledger)],
            [.. Results(accepted, fleet.Ledger)],
            [.. AcceptedWrites.Of(accepted)],
            Capacity(fleet.Machines)
        );
        var broken = fleet
            .Silos.SelectMany(silo => silo.Broken)
            .Select(why => new Violation("invariant", why.ToString()));
        return
        [
            .. AllCheckers.Check(history, ledger),
            .. JobRulesCheck.Check(accepted).Take(MostPerRule),
            .. AnswerRules.AcceptedReportsStay(log, ledger.Results).Take(MostPerRule),
            .. AnswerRules.SubmitsSayWhen(log, accepted).Take(MostPerRule),
            .. AnswerRules.NoopsAnswer(accepted, fleet.Ledger).Take(MostPerRule),
            .. AnswerRules.TimesFire(accepted, healthySince).Take(MostPerRule),
            .. broken.Take(MostPerRule),
        ];
    }

    /// <summary>Jobs cancelled with one they depended on: asked for by whoever cancelled that one.</summary>
    private static IEnumerable<CancelCall> Cascades(IReadOnlyList<Accepted> accepted) =>
        accepted
            .Select(entry => entry.Operation)
            .OfType<LedgerOperation.EndJob>()
            .Where(end => end is { To: JobState.Cancelled, End.Code: JobEndCode.DependencyFailed })
            .Select(end => new CancelCall(end.Id.ToString(), State: null, CallOutcome.Indeterminate));

    /// <summary>Results as they were when the ledger first took them.</summary>
    private static IEnumerable<ResultSighting> FirstResults(IReadOnlyList<Accepted> accepted)
    {
        foreach (var entry in accepted)
        {
            if (entry.Operation is not LedgerOperation.RecordResults record)
                continue;
            foreach (var result in record.Results.Where(r => entry.Outcome.NewResults!.Contains(r.Index)))
                yield return new ResultSighting(record.Id.Job.ToString(), result.Index, ClientLog.DigestOf(result));
        }
    }

    private static IEnumerable<FinalJob> Jobs(IReadOnlyList<Accepted> accepted, RecordingLedger ledger)
    {
        foreach (var submit in accepted.Select(entry => entry.Operation).OfType<LedgerOperation.SubmitJob>())
        {
            var job = Now(ledger.FindJobAsync(submit.Spec.Id, CancellationToken.None));
            if (job is null)
                continue;
            yield return new FinalJob(
                job.Spec.Id.ToString(),
                job.Spec.Tenant.Value,
                submit.IdempotencyKey?.Key,
                ClientLog.PhaseOf(job.State),
                job.Spec.ItemCount
            );
        }
    }

    private static IEnumerable<FinalResult> Results(IReadOnlyList<Accepted> accepted, RecordingLedger ledger)
    {
        foreach (var submit in accepted.Select(entry => entry.Operation).OfType<LedgerOperation.SubmitJob>())
        {
            foreach (var result in Results(ledger, submit.Spec.Id))
                yield return new FinalResult(submit.Spec.Id.ToString(), result.Index, ClientLog.DigestOf(result));
        }
    }

    private static Dictionary<string, int> Capacity(IReadOnlyList<Machine> machines)
    {
        var capacity = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var device in machines.SelectMany(machine => machine.Devices))
        {
            capacity.Add(AcceptedWrites.PlaceOf(device.Device, JobKind.Batch), 1);
            capacity.Add(AcceptedWrites.PlaceOf(device.Device, JobKind.Noop), device.NoopSlots);
        }
        return capacity;
    }

    /// <summary>The results of a job as the ledger has them now.</summary>
    public static IReadOnlyList<ItemResult> Results(ILedger ledger, JobId job) =>
        Now(ledger.ReadResultsAsync(job, CancellationToken.None).ToListAsync().AsTask());

    private static T Now<T>(Task<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("Not answered at once.");
}
