using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Agents;

/// <summary>A Mac of the simulated fleet: its agent starts, dies, freezes and comes back on it.</summary>
internal sealed class Machine(
    Clockwork clockwork,
    string host,
    IReadOnlyList<DeviceFacts> devices,
    Dice dice,
    PoolDirectory pool,
    ClientLog log,
    Trace trace
)
{
    private TimeSpan frozenAt;

    public NodeId Node { get; } = new(host);
    public IReadOnlyList<DeviceFacts> Devices => devices;
    public AgentMood Mood { get; set; } = AgentMood.Good;

    /// <summary>The agent that runs now; null while there is none.</summary>
    public AgentProcess? Agent { get; private set; }

    public void Start()
    {
        if (Agent is { Place.IsAlive: true })
            return;
        trace.Note(host, "agent starts");
        var place = new Place(clockwork, host, dice.Between(TimeSpan.FromHours(-1), TimeSpan.FromHours(1)));
        Agent = new AgentProcess(place, dice.Fork(), devices, new LeaseClock(clockwork), () => Mood, pool, log, trace);
    }

    public void Crash()
    {
        trace.Note(host, "agent dies");
        Agent?.Place.Kill();
        Agent = null;
    }

    public void Leave()
    {
        if (Agent is not { } agent)
            return;
        trace.Note(host, "agent leaves");
        agent.Place.Go(agent.LeaveAsync);
    }

    public void Freeze()
    {
        trace.Note(host, "freezes");
        frozenAt = clockwork.Now;
        Agent?.Place.Freeze();
    }

    /// <summary>Goes on; a machine that slept with a clock that stands still does not know for how long.</summary>
    public void Thaw(bool clockStoodStill)
    {
        if (Agent is not { Place.IsFrozen: true } agent)
            return;
        trace.Note(host, $"thaws{(clockStoodStill ? ", its clock stood still" : "")}");
        if (clockStoodStill)
            agent.Clock.Lose(clockwork.Now - frozenAt);
        agent.Place.Thaw();
    }
}
