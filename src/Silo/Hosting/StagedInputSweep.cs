using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// Removes what was put down for a submit that never came (refused, replayed, or cut off half-way), and what is left of
/// fine-tuning runs whose jobs are forgotten.
/// </summary>
public sealed partial class StagedInputSweep(
    ILedger ledger,
    IFineTuningStore runs,
    TimeProvider time,
    ILogger<StagedInputSweep> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.StagedInputSweepEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var removed = await ledger.SweepStagedAsync(Limits.StagedInputMemory, stoppingToken);
                if (removed > 0)
                    LogSwept(logger, removed);
                await runs.SweepAsync(Limits.StagedInputMemory, stoppingToken);
            }
            catch (LedgerUnavailableException unavailable)
            {
                LogPutOff(logger, unavailable.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the input of {Count} submits that never came")]
    private static partial void LogSwept(ILogger logger, int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "Staged input is swept the next time: {Reason}")]
    private static partial void LogPutOff(ILogger logger, string reason);
}
