using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Clients;

/// <summary>Lets go of everything that was held back or paused, so that a healed fleet has all its work to do.</summary>
internal sealed class Owner(Place place, PoolDirectory pool, ILedger ledger, Trace trace)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public async Task RunAsync(IReadOnlyList<TenantId> tenants)
    {
        while (true)
        {
            foreach (var tenant in tenants)
            {
                await LetGoAsync(tenant, JobState.Held, JobSteering.Release);
                await LetGoAsync(tenant, JobState.Paused, JobSteering.Resume);
            }
            await Task.Delay(TimeSpan.FromSeconds(1), place.Clock);
        }
    }

    private async Task LetGoAsync(TenantId tenant, JobState state, JobSteering how)
    {
        var page = new JobPageRequest(tenant, state, After: null, Limit: 100, OldestFirst: true);
        foreach (var job in await ledger.ListJobsAsync(page, CancellationToken.None))
        {
            // These end by their time, however long they are held.
            if (
                job.Spec.Rules.Deadline is not null
                || (state == JobState.Paused && job.Spec.Rules.MaxRunTime is not null)
            )
                continue;
            try
            {
                await pool.CallAsync(place, Patience, silo => silo.SteerAsync(job.Spec.Id, how));
            }
            // It is asked again in the next round.
            catch (Exception why)
            {
                trace.Note(place.Host, $"{how} {OperationText.Of(job.Spec.Id)}: {why.GetType().Name}");
            }
        }
    }
}
