using EgpuFleet.NodeAgent.Execution;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>A lease clock that moves only when told to: a machine that sleeps is a jump.</summary>
internal sealed class TestClock : ILeaseClock
{
    public TimeSpan Now { get; set; } = TimeSpan.FromHours(1);
}
