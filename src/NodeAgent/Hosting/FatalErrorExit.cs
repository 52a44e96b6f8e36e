using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>
/// Orleans' end of the line, such as "declared dead while asleep": leave with a code that asks to be started again, rather
/// than abort. The worker keeps its models for the next incarnation.
/// </summary>
internal sealed partial class FatalErrorExit(ILogger<FatalErrorExit> log) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender = null, string? context = null, Exception? exception = null)
    {
        LogFatal(context ?? sender?.ToString() ?? "unknown", ExitCodes.StartAgain, exception);
        Environment.Exit(ExitCodes.StartAgain);
    }

    [LoggerMessage(Level = LogLevel.Critical, Message = "Fatal, exit {Code}: {Context}")]
    private partial void LogFatal(string context, int code, Exception? exception);
}
