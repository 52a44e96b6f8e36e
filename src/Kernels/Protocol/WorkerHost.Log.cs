using Microsoft.Extensions.Logging;

namespace EgpuFleet.Kernels.Protocol;

public sealed partial class WorkerHost
{
    [LoggerMessage(LogLevel.Information, "Listening at {SocketPath}")]
    private partial void LogListening(string socketPath);

    [LoggerMessage(LogLevel.Information, "Opened {Engine} {Version}")]
    private partial void LogOpened(string engine, string version);

    [LoggerMessage(LogLevel.Error, "The engine could not be opened")]
    private partial void LogOpenFailed(Exception exception);

    [LoggerMessage(LogLevel.Warning, "The last agent is gone; models are kept for {KeepSeconds} s")]
    private partial void LogAgentLost(double keepSeconds);

    [LoggerMessage(LogLevel.Information, "No agent came in time; ending")]
    private partial void LogNotAdopted();
}
