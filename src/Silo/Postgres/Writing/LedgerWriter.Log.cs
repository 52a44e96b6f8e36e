using Microsoft.Extensions.Logging;

namespace EgpuFleet.Silo.Postgres.Writing;

internal sealed partial class LedgerWriter
{
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Epoch {Epoch} of pool {Pool} is over; {Count} submissions refused"
    )]
    private static partial void LogFenced(ILogger logger, string pool, long epoch, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The ledger does not answer; {Count} submissions undecided")]
    private static partial void LogUnavailable(ILogger logger, Exception error, int count);

    [LoggerMessage(Level = LogLevel.Error, Message = "The ledger rejected a submission as invalid")]
    private static partial void LogRejected(ILogger logger, Exception error);
}
