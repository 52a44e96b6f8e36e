using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

internal sealed partial class WorkerLauncher
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {ProcessId} started")]
    private partial void LogSpawned(int processId);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Worker {ProcessId} of an earlier agent adopted with {Models} models"
    )]
    private partial void LogAdopted(int processId, int models);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {ProcessId} of an earlier agent not adopted: {Reason}")]
    private partial void LogNotAdopted(int processId, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Ending worker {ProcessId} of an earlier agent")]
    private partial void LogEnding(int processId);
}
