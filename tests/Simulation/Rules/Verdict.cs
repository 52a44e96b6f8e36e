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
    public static IReadOnlyList<Violation> On(SimulatedFleet fleet, Drain drain)
    {
        var accepted = fleet.Ledger.Accepted;
        var log = fleet.Log;
        var results = log.Results.Concat(FirstResults(accepted)).ToList();
        var history = new History(log.Submits, log.Cancels, log.Sightings, results, drain);
        var ledger = new FinalLedger(
            [.. Jobs(accepted, fleet.Ledger)],
            [.. Results(accepted, fleet.Ledger)],
            [.. AcceptedWrites.Of(accepted)],
            Capacity(fleet.Machines)
        );
        var broken = fleet
            .Silos.SelectMany(silo => silo.Broken)
            .Select(why => new Violation("invariant", why.ToString()));
        return [.. AllCheckers.Check(history, ledger), .. JobRulesCheck.Check(accepted).Take(5), .. broken.Take(2)];
    }

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
            var stored = Now(ledger.ReadResultsAsync(submit.Spec.Id, CancellationToken.None).ToListAsync().AsTask());
            foreach (var result in stored)
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

    private static T Now<T>(Task<T> task) =>
        task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("Not answered at once.");
}
