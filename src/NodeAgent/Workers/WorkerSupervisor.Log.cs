using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

internal sealed partial class WorkerSupervisor
{
    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Device} is ready: worker {ProcessId} on {Description}; {SelfTest}"
    )]
    private partial void LogReady(string device, int processId, string description, string selfTest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Device} is without a worker now: {Reason}")]
    private partial void LogHeld(string device, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The worker of {Device} died, now {Phase}: {Reason}")]
    private partial void LogDied(string device, WorkerPhase phase, string reason);
}
