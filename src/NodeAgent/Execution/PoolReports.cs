using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Scheduling;
using Orleans;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Reports to the pool's grain.</summary>
internal sealed class PoolReports(IGrainFactory grains, TimeProvider time) : IShardReports
{
    public async Task<ReportReply> ReportAsync(ShardReport report, CancellationToken cancellationToken)
    {
        var replies = await grains
            .GetGrain<IPoolGrain>(PoolId.Default.Value)
            .Report([report])
            .WaitAsync(Limits.ReportTimeout, time, cancellationToken);
        return replies[0];
    }
}
