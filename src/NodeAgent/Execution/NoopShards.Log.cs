using EgpuFleet.Grains.Interfaces.Scheduling;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

// Thousands a second: what goes well is for debugging only.
internal sealed partial class NoopShards
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "Shard {Lease}: {Items} no-ops")]
    private partial void LogStarted(LeaseKey lease, int items);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Shard {Lease}: finished")]
    private partial void LogFinished(LeaseKey lease);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Shard {Lease}: failed, {Code}: {Reason}")]
    private partial void LogFailed(LeaseKey lease, string code, string reason);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Shard {Lease}: stopped, {Reason}")]
    private partial void LogEnded(LeaseKey lease, string? reason);
}
