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
    RoundSignals signals,
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
        while (true)
        {
            var closing = signals.Closing.Next;
            try
            {
                await PassAsync(stoppingToken);
            }
            catch (LedgerUnavailableException unavailable)
            {
                LogPutOff(logger, unavailable.Message);
            }
            await RoundSignals.WaitAsync(closing, Limits.RoundTick, time, stoppingToken);
        }
    }

    private async Task<bool> CloseAsync(JobId job, CancellationToken cancellationToken)
    {
        if (await rounds.ClaimAsync(job, name, Limits.RoundClaim, cancellationToken) is not { } run)
            return false;
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var holding = HoldAsync(job, done.Token);
        try
        {
            var result = await new NextBase(checkpoints, rounds).ComputeAsync(run, cancellationToken);
            if (!await rounds.CloseAsync(run, result, cancellationToken))
                return false;
            signals.Closed.Raise();
            LogClosed(logger, job, run.State.Round, run.State.Contributions.Count, result.Dropped.Count, result.Norm);
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or ChunkMissingException or InvalidOperationException)
        {
            LogFailed(logger, job, run.State.Round, e);
            return false;
        }
        finally
        {
            await done.CancelAsync();
            await holding;
        }
    }

    /// <summary>
    /// Keeps the reservation for as long as this silo computes: of one that has died it is soon another's. Never faults.
    /// </summary>
    private async Task HoldAsync(JobId job, CancellationToken done)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Limits.RoundClaim / 3, time, done);
                await rounds.ClaimAsync(job, name, Limits.RoundClaim, done);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or LedgerUnavailableException)
        {
            // Over; or another computes the same beside it, and the first to commit has closed the round.
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
