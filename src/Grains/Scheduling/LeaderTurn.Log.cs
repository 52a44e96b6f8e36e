using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Grains.Scheduling;

internal sealed partial class LeaderTurn
{
    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Leading pool {Pool} under epoch {Epoch} with {Jobs} active jobs and {Leases} leases."
    )]
    private static partial void LogLeading(ILogger logger, PoolId pool, long epoch, int jobs, int leases);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Planned {Placements} placements of {Jobs} active jobs.")]
    private static partial void LogPlanned(ILogger logger, int placements, int jobs);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Job} submitted: {Items} items, priority {Priority}.")]
    private static partial void LogSubmitted(ILogger logger, JobId job, int items, int priority);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Job} is {State}.")]
    private static partial void LogEnded(ILogger logger, JobId job, JobState state);

    [LoggerMessage(Level = LogLevel.Information, Message = "Shard {Shard} requeued from epoch {Epoch}: {Reason}")]
    private static partial void LogRequeued(ILogger logger, ShardId shard, int epoch, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A report on {Lease} came too late and was refused.")]
    private static partial void LogFenced(ILogger logger, LeaseKey lease);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The registry did not say what model {Model} needs.")]
    private static partial void LogModelNotRead(ILogger logger, Exception exception, string model);
}
