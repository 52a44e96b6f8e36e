using EgpuFleet.Grains.Interfaces.Scheduling;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Execution;

internal sealed partial class ShardRun
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Shard {Lease}: {Items} items for {Model}")]
    private partial void LogStarted(LeaseKey lease, int items, string model);

    [LoggerMessage(Level = LogLevel.Information, Message = "Shard {Lease}: finished")]
    private partial void LogFinished(LeaseKey lease);

    [LoggerMessage(Level = LogLevel.Error, Message = "Shard {Lease}: the agent itself failed")]
    private partial void LogBroke(LeaseKey lease, Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Lease}: failed, {Code}: {Reason}")]
    private partial void LogFailed(LeaseKey lease, string code, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shard {Lease}: stopped, {Reason}")]
    private partial void LogEnded(LeaseKey lease, string reason);
}
