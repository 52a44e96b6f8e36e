using Orleans.Runtime;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// A silo that the cluster declared dead, or that broke, must not go on: the host stops, so that the database is closed
/// properly, and the process ends with <see cref="ExitCodes.RestartMe"/> for its supervisor to start it again.
/// </summary>
public sealed partial class FatalErrorExit(
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<FatalErrorExit> logger
) : IFatalErrorHandler, IDisposable
{
    private ITimer? deadline;

    /// <summary>Whether the process ends because of such an error.</summary>
    public bool Happened { get; private set; }

    public bool IsUnexpected(Exception exception) =>
        exception is not ThreadAbortException and not OperationCanceledException;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        LogFatal(logger, context ?? "unknown", exception);
        Happened = true;
        // A dead silo may hang in its own shutdown.
        deadline ??= time.CreateTimer(
            _ => Environment.Exit(ExitCodes.RestartMe),
            null,
            Limits.ShutdownTimeout,
            Timeout.InfiniteTimeSpan
        );
        lifetime.StopApplication();
    }

    public void Dispose() => deadline?.Dispose();

    [LoggerMessage(Level = LogLevel.Critical, Message = "The silo cannot go on ({Context}); exiting to be restarted")]
    private static partial void LogFatal(ILogger logger, string context, Exception? exception);
}
