using Microsoft.Extensions.Logging;

namespace EgpuFleet.Silo.Postgres;

public sealed partial class EmbeddedPostgres
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Making a Postgres {Major} database in {Path} ({Binaries})")]
    private static partial void LogInitializing(ILogger logger, string path, int major, string binaries);

    [LoggerMessage(Level = LogLevel.Information, Message = "Postgres {How} on 127.0.0.1:{Port} in {Seconds} s")]
    private static partial void LogReady(ILogger logger, string how, int port, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Postgres {ProcessId} in {Path} does not answer; restarting it")]
    private static partial void LogUnresponsive(ILogger logger, int processId, string path);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Postgres {ProcessId} in {Path} had been killed; recovering"
    )]
    private static partial void LogStale(ILogger logger, int processId, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "Postgres in {Path} stopped")]
    private static partial void LogStopped(ILogger logger, string path);
}
