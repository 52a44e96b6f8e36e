using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Training;

/// <summary>
/// Closes the rounds of data parallel runs. Every silo does: the one that reserves a closing computes it, and when it dies
/// another does so again; only one commit closes the round.
/// </summary>
public sealed partial class RoundCloser(
    IRoundStore rounds,
    ICheckpointStore checkpoints,
    TimeProvider time,
    ILogger<RoundCloser> logger
) : BackgroundService
{
    private readonly string name = Guid.NewGuid().ToString("N");

    /// <summary>Closes what is to be closed now; returns how many rounds this silo closed.</summary>
    public async Task<int> PassAsync(CancellationToken cancellationToken)
    {
        var closed = 0;
        foreach (var job in await rounds.TickAsync(cancellationToken))
        {
            if (await CloseAsync(job, cancellationToken))
                closed++;
        }
        return closed;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Limits.RoundTick, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await PassAsync(stoppingToken);
            }
            catch (LedgerUnavailableException unavailable)
            {
                LogPutOff(logger, unavailable.Message);
            }
        }
    }

    private async Task<bool> CloseAsync(JobId job, CancellationToken cancellationToken)
    {
        if (await rounds.ClaimAsync(job, name, Limits.RoundClaim, cancellationToken) is not { } run)
            return false;
        try
        {
            var result = await new NextBase(checkpoints, rounds).ComputeAsync(run, cancellationToken);
            if (!await rounds.CloseAsync(run, result, cancellationToken))
                return false;
            LogClosed(logger, job, run.State.Round, run.State.Contributions.Count, result.Dropped.Count, result.Norm);
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or ChunkMissingException or InvalidOperationException)
        {
            LogFailed(logger, job, run.State.Round, e);
            return false;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Job}: round {Round} is closed with {Contributions} contributions, {Dropped} dropped, norm {Norm}"
    )]
    private static partial void LogClosed(
        ILogger logger,
        JobId job,
        int round,
        int contributions,
        int dropped,
        double norm
    );

    [LoggerMessage(Level = LogLevel.Error, Message = "{Job}: round {Round} cannot be closed")]
    private static partial void LogFailed(ILogger logger, JobId job, int round, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Rounds are closed the next time: {Reason}")]
    private static partial void LogPutOff(ILogger logger, string reason);
}
