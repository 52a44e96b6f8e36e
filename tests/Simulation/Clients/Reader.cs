using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.World;
using EgpuFleet.TestKit.Checkers;

namespace EgpuFleet.Simulation.Tests.Clients;

/// <summary>Looks at jobs and their results, one look after the other, and notes what it saw.</summary>
internal sealed class Reader(Place place, Dice dice, ILedger ledger, ClientLog log)
{
    public async Task RunAsync()
    {
        while (true)
        {
            await Task.Delay(dice.Between(TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(2)), place.Clock);
            if (log.Known.Count == 0)
                continue;
            try
            {
                await LookAsync();
            }
            catch (LedgerUnavailableException)
            {
                // It looks again.
            }
        }
    }

    private async Task LookAsync()
    {
        var job = dice.Pick(log.Known);
        if (await ledger.FindJobAsync(job, CancellationToken.None) is not { } seen)
            return;
        var settled = seen.CompletedItems + seen.FailedItems;
        log.Sightings.Add(new JobSighting(job.ToString(), ClientLog.PhaseOf(seen.State), settled));
        await foreach (var result in ledger.ReadResultsAsync(job, CancellationToken.None))
            log.Results.Add(new ResultSighting(job.ToString(), result.Index, ClientLog.DigestOf(result)));
    }
}
