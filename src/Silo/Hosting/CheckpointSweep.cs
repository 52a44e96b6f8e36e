using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Retires and collects checkpoints. Every silo does; whoever comes first has done it.</summary>
public sealed partial class CheckpointSweep(ICheckpointStore store, TimeProvider time, ILogger<CheckpointSweep> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.CheckpointCollectionEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var pass = await store.CollectAsync(CheckpointRules.Default, stoppingToken);
                if (pass.Retired + pass.Dropped + pass.RemovedChunks > 0)
                    LogCollected(logger, pass.Retired, pass.Dropped, pass.RemovedChunks, pass.RemovedBytes);
            }
            catch (LedgerUnavailableException unavailable)
            {
                LogPutOff(logger, unavailable.Message);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Retired {Retired} checkpoints, dropped {Dropped}, removed {Chunks} chunks of {Bytes} bytes"
    )]
    private static partial void LogCollected(ILogger logger, int retired, int dropped, int chunks, long bytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "Checkpoints are collected the next time: {Reason}")]
    private static partial void LogPutOff(ILogger logger, string reason);
}
