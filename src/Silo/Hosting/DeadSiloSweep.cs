using Orleans;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Removes the membership rows of silos that died long ago: every restart of a process leaves one.</summary>
public sealed class DeadSiloSweep(IMembershipTable table, TimeProvider time) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.DeadSiloMemory, time);
        do
        {
            await table.CleanupDefunctSiloEntriesAsync(time.GetUtcNow() - Limits.DeadSiloMemory, stoppingToken);
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
