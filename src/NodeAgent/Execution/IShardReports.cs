using EgpuFleet.Grains.Interfaces.Execution;

namespace EgpuFleet.NodeAgent.Execution;

/// <summary>Where results go: the pool's scheduler, or a test that looks at every report.</summary>
public interface IShardReports
{
    /// <summary>One reply per report, in order.</summary>
    Task<ReportReply[]> ReportAsync(ShardReport[] reports, CancellationToken cancellationToken);
}
