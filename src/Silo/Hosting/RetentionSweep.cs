using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;

namespace EgpuFleet.Silo.Hosting;

/// <summary>Archives and forgets jobs as the settings say. Every silo does; whoever comes first has done it.</summary>
public sealed partial class RetentionSweep(
    PostgresLedger ledger,
    SiloSettings settings,
    TimeProvider time,
    ILogger<RetentionSweep> logger
) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.RetentionEvery, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                var pass = await ledger.RetireAsync(settings.Retention, stoppingToken);
                if (pass.ArchivedJobs + pass.ForgottenJobs + pass.ExpiredKeys > 0)
                    LogRetired(logger, pass.ArchivedJobs, pass.ForgottenJobs, pass.ExpiredKeys);
            }
            catch (LedgerUnavailableException unavailable)
            {
                LogPutOff(logger, unavailable.Message);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Archived {Archived} jobs, forgot {Forgotten}, let {Keys} idempotency keys expire"
    )]
    private static partial void LogRetired(ILogger logger, int archived, int forgotten, int keys);

    [LoggerMessage(Level = LogLevel.Information, Message = "Finished jobs are archived the next time: {Reason}")]
    private static partial void LogPutOff(ILogger logger, string reason);
}
