using EgpuFleet.Grains.Ports;
using Npgsql;
using Polly;
using Polly.Retry;
using Polly.Timeout;

namespace EgpuFleet.Silo.Postgres;

/// <summary>What a database error means to callers of the ledger, and which errors are worth another try.</summary>
internal static class LedgerFaults
{
    /// <summary>Raised by <c>open_turn</c>: the term is over.</summary>
    public const string FencedSqlState = "EF001";

    /// <summary>
    /// Another try after a lost connection or a restarting server, for a few seconds in all; then the caller is told.
    /// Safe for reads, and for writes that are known not to have been committed.
    /// </summary>
    public static ResiliencePipeline Pipeline(TimeProvider time) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(Limits.LedgerRetryWindow)
            .AddRetry(
                new RetryStrategyOptions
                {
                    ShouldHandle = new PredicateBuilder().Handle<NpgsqlException>(e =>
                        IsConnectionLoss(e) && !IsDiskFull(e)
                    ),
                    MaxRetryAttempts = 50,
                    Delay = TimeSpan.FromMilliseconds(20),
                    MaxDelay = TimeSpan.FromMilliseconds(500),
                    BackoffType = DelayBackoffType.Exponential,
                    UseJitter = true,
                }
            )
            .Build();

    public static bool IsConnectionLoss(NpgsqlException error) =>
        error is PostgresException { SqlState: var state }
            // 08: connection, 57P: the server shuts down, crashed or is starting, 53: out of connections.
            ? state.StartsWith("08", StringComparison.Ordinal)
                || state.StartsWith("57P", StringComparison.Ordinal)
                || state.StartsWith("53", StringComparison.Ordinal)
            : true;

    /// <summary>Whether the ledger could not be reached, as opposed to having said no.</summary>
    public static bool IsUnavailable(Exception error) =>
        error is TimeoutRejectedException
        || IsDiskFull(error)
        || (error is NpgsqlException npgsql && IsConnectionLoss(npgsql));

    /// <summary>Not worth another try at once: room comes back in minutes, if at all.</summary>
    public static bool IsDiskFull(Exception error) =>
        error
            is PostgresException { SqlState: PostgresErrorCodes.DiskFull }
                // A new session writes a cache of the catalogue after it was changed or vacuumed, and says no more than this.
                or PostgresException
                {
                    SqlState: PostgresErrorCodes.InternalError,
                    MessageText: "could not write init file",
                };

    public static LedgerUnavailableException Unavailable(Exception error) =>
        IsDiskFull(error)
            ? new($"The disk of the database is full: {error.Message}", error) { Fault = LedgerFault.DiskFull }
            : new($"The ledger does not answer: {error.Message}", error);
}
