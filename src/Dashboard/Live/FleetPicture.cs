using EgpuFleet.Api;

namespace EgpuFleet.Dashboard.Live;

/// <summary>The fleet as the API shows it at one moment.</summary>
/// <param name="Jobs">The newest jobs, at most <see cref="Limits.RecentJobs"/>.</param>
/// <param name="MoreJobs">Whether there are older ones.</param>
public sealed record FleetPicture(
    IReadOnlyList<NodeInfo> Nodes,
    IReadOnlyList<DeviceInfo> Devices,
    IReadOnlyList<ModelInfo> Models,
    IReadOnlyList<JobInfo> Jobs,
    bool MoreJobs
)
{
    public int ReadyDevices => Devices.Count(device => device.State == "ready");

    public int BusyDevices => Devices.Count(device => device.RunningShards.Count > 0 || device.ActiveSequences > 0);

    public long MemoryBytes => Devices.Sum(device => device.MemoryBytes);

    public long MemoryUsedBytes => Devices.Sum(device => device.MemoryUsedBytes);

    public double TokensPerSecond => Devices.Sum(device => device.TokensPerSecond);

    public IEnumerable<DeviceInfo> DevicesOf(NodeInfo node) => Devices.Where(device => device.Node == node.Id);
}
