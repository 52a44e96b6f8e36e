using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Wakes the pool's scheduler every few seconds, so that a pool is never without a leader for long.</summary>
public sealed partial class LeadershipKeeper(IGrainFactory grains, TimeProvider time, ILogger<LeadershipKeeper> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.LeadershipInterval, time);
        do
        {
            try
            {
                await grains.GetGrain<IPoolGrain>(PoolId.Default.Value).EnsureLeading();
            }
            catch (Exception e) when (e is PoolUnavailableException or TimeoutException or OrleansException)
            {
                LogNoLeader(logger, e.Message);
            }
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pool has no leader yet: {Reason}")]
    private static partial void LogNoLeader(ILogger logger, string reason);
}
