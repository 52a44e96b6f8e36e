using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

/// <summary>
/// Keeps the default pool's grain alive from every control silo: whichever silo held it, the others call it back within
/// <see cref="SchedulingOptions.PoolKeepAlive"/>.
/// </summary>
internal sealed partial class PoolKeeper(
    IGrainFactory grains,
    SchedulingOptions options,
    TimeProvider time,
    ILogger<PoolKeeper> logger
) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private Task keeping = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(PoolKeeper), ServiceLifecycleStage.Active, StartAsync, StopAsync);

    private Task StartAsync(CancellationToken cancellationToken)
    {
        keeping = Task.Run(() => KeepAsync(stop.Token), CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        await keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => stop.Dispose();

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        var pool = grains.GetGrain<IPoolGrain>(PoolId.Default.Value);
        var wasReached = true;
        while (true)
        {
            var isReached = await TryReachAsync(pool, wasReached, cancellationToken);
            await Task.Delay(isReached ? options.PoolKeepAlive : Limits.PoolCallBack, time, cancellationToken);
            wasReached = isReached;
        }
    }

    private async Task<bool> TryReachAsync(IPoolGrain pool, bool isNews, CancellationToken cancellationToken)
    {
        try
        {
            await pool.EnsureLeading().WaitAsync(cancellationToken);
            return true;
        }
        // Whatever kept it from answering, the next round asks again; the pool itself logs why.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            if (isNews)
                LogNotReached(logger, PoolId.Default, exception.Message);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The scheduler of pool {Pool} did not answer: {Reason}")]
    private static partial void LogNotReached(ILogger logger, PoolId pool, string reason);
}
