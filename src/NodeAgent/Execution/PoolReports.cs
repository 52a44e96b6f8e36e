using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Scheduling;
using Orleans;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Reports to the pool's grain.</summary>
internal sealed class PoolReports(IGrainFactory grains, TimeProvider time) : IShardReports
{
    public Task<ReportReply[]> ReportAsync(ShardReport[] reports, CancellationToken cancellationToken) =>
        grains
            .GetGrain<IPoolGrain>(PoolId.Default.Value)
            .Report(reports)
            .WaitAsync(Limits.ReportTimeout, time, cancellationToken);
}
