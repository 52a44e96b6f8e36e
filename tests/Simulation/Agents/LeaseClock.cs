using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>The clock an agent measures its leases with. It should count time asleep; a broken one does not.</summary>
internal sealed class LeaseClock(Clockwork clockwork)
{
    private TimeSpan lost;

    public TimeSpan Now => clockwork.Now - lost;

    /// <summary>Time went by without the clock noticing.</summary>
    public void Lose(TimeSpan slept) => lost += slept;
}
