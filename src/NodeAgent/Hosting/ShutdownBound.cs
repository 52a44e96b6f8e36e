using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>
/// Bounds the way out. By then the node has said goodbye and its workers are gone; what may hang is Orleans, which tries for
/// minutes to write its last row through a gateway that went away first.
/// </summary>
internal sealed partial class ShutdownBound(
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<ShutdownBound> log
) : IHostedService, IDisposable
{
    private ITimer? deadline;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        lifetime.ApplicationStopping.Register(() =>
            deadline = time.CreateTimer(
                End,
                null,
                Limits.DrainTimeout + Limits.ShutdownTimeout,
                Timeout.InfiniteTimeSpan
            )
        );
        return Task.CompletedTask;
    }

    /// <summary>All that is worth waiting for is durable.</summary>
    public void Drained() => deadline?.Change(Limits.ShutdownTimeout, Timeout.InfiniteTimeSpan);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => deadline?.Dispose();

    private void End(object? state)
    {
        LogGivenUp();
        Environment.Exit(ExitCodes.Ok);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The cluster did not see this node off in time; ending without")]
    private partial void LogGivenUp();
}
