using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.NodeAgent.Tests.Support;

internal static class Leases
{
    public static readonly NodeId Node = new("test-1");

    public static readonly DeviceId Device = new(Node, "cpu0");

    public static LeaseKey Key(int shard = 0, int epoch = 1) =>
        new(new ShardId(new JobId(Guid.Parse("01900000-0000-7000-8000-000000000001")), shard), epoch, Device);
}
