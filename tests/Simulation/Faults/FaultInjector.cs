using EgpuFleet.Simulation.Tests.Agents;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;

namespace EgpuFleet.Simulation.Tests.Faults;

/// <summary>Breaks things, and repairs each after a while; <see cref="Heal"/> repairs all that is still broken.</summary>
internal sealed class FaultInjector(
    Place sky,
    Dice dice,
    Network network,
    Database database,
    RecordingLedger ledger,
    IReadOnlyList<ControlSilo> silos,
    IReadOnlyList<Machine> machines,
    Trace trace
)
{
    private readonly Queue<Action> armed = new();
    private bool isHealed;

    /// <summary>Chooses which kinds of faults a run has, and when: few kinds often shows more than all of them at once.</summary>
    public void Plan(TimeSpan from, TimeSpan until)
    {
        var kinds = Enum.GetValues<FaultKind>().Where(_ => dice.Chance(0.3)).ToList();
        if (kinds.Count == 0)
            return;
        ledger.Committed = StrikeAfterCommit;
        for (var left = dice.Between(2, 14); left > 0; left--)
        {
            var kind = dice.Pick(kinds);
            sky.After(dice.Between(from, until), () => Arm(kind));
        }
    }

    /// <summary>Half of what ends or stops a process comes just after a commit, where it does most harm.</summary>
    private void Arm(FaultKind kind)
    {
        var isOfProcess =
            kind
            is FaultKind.SiloCrash
                or FaultKind.SiloFreeze
                or FaultKind.ActivationMove
                or FaultKind.AgentCrash
                or FaultKind.AgentFreeze;
        if (isOfProcess && dice.Chance(0.5))
            armed.Enqueue(() => Break(kind));
        else
            Break(kind);
    }

    private void StrikeAfterCommit()
    {
        if (armed.TryDequeue(out var strike))
            sky.After(dice.Between(TimeSpan.Zero, TimeSpan.FromMilliseconds(5)), strike);
    }

    public void Heal()
    {
        trace.Note("sky", "all is healed");
        isHealed = true;
        network.Weather = Weather.Calm;
        network.CutOff.Clear();
        network.Detours.Clear();
        database.Health = DatabaseHealth.Good;
        foreach (var machine in machines)
        {
            machine.Mood = AgentMood.Good;
            machine.Thaw(clockStoodStill: false);
            machine.Start();
        }
        foreach (var silo in silos)
        {
            silo.Place?.Thaw();
            silo.Start();
        }
    }

    private void Break(FaultKind kind)
    {
        if (isHealed)
            return;
        trace.Note("sky", $"{kind}");
        if (kind <= FaultKind.SlowMachine)
            BreakNetwork(kind);
        else if (kind <= FaultKind.ActivationMove)
            BreakSilo(kind, dice.Pick(silos));
        else if (kind <= FaultKind.DatabaseClockJump)
            BreakDatabase(kind);
        else
            BreakMachine(kind, dice.Pick(machines));
    }

    private void BreakNetwork(FaultKind kind)
    {
        var weather = network.Weather;
        var host = kind == FaultKind.CutOffSilo ? dice.Pick(silos).Host : dice.Pick(machines).Node.Value;
        switch (kind)
        {
            case FaultKind.Loss:
                network.Weather = weather with { LossChance = dice.Between(5, 50) / 100.0 };
                break;
            case FaultKind.Duplicates:
                network.Weather = weather with { DuplicateChance = dice.Between(10, 80) / 100.0 };
                break;
            case FaultKind.Strays:
                network.Weather = weather with { StrayChance = dice.Between(5, 40) / 100.0 };
                break;
            case FaultKind.CutOffMachine or FaultKind.CutOffSilo:
                network.CutOff.Add(host);
                break;
            case FaultKind.SlowMachine:
                network.Detours[host] = dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(3));
                machines.First(machine => machine.Node.Value == host).Mood = AgentMood.Good with { Slowness = 8 };
                break;
        }
        Repair(
            TimeSpan.FromSeconds(20),
            () =>
            {
                network.Weather = Weather.Calm;
                network.CutOff.Remove(host);
                network.Detours.Remove(host);
            }
        );
    }

    private void BreakSilo(FaultKind kind, ControlSilo silo)
    {
        // The leader is the one that matters most.
        if (dice.Chance(0.7) && silos.FirstOrDefault(other => other.IsLeading) is { } leader)
            silo = leader;
        switch (kind)
        {
            case FaultKind.SiloCrash:
                silo.Crash();
                Repair(TimeSpan.FromSeconds(10), silo.Start);
                break;
            case FaultKind.SiloFreeze when silo.Place is { } place:
                trace.Note(silo.Host, "silo freezes");
                place.Freeze();
                Repair(TimeSpan.FromSeconds(8), place.Thaw);
                break;
            case FaultKind.ActivationMove:
                silo.Move();
                break;
        }
    }

    private void BreakDatabase(FaultKind kind)
    {
        var health = database.Health;
        switch (kind)
        {
            case FaultKind.Aborts:
                database.Health = health with { AbortChance = dice.Between(2, 30) / 100.0 };
                break;
            case FaultKind.UnknownCommits:
                database.Health = health with { UnknownChance = dice.Between(2, 30) / 100.0 };
                break;
            case FaultKind.LateCommits:
                database.Health = health with { RetryChance = dice.Between(2, 30) / 100.0 };
                break;
            case FaultKind.Outage:
                database.Health = health with { IsUp = false };
                break;
            case FaultKind.SlowDatabase:
                database.Health = health with
                {
                    Least = TimeSpan.FromSeconds(0.1),
                    Most = TimeSpan.FromSeconds(dice.Between(1, 3)),
                };
                break;
            case FaultKind.DatabaseClockJump:
                // Further back would keep a dead leader's lease alive for longer than any bound allows.
                database.Place.Clock.WallOffset += dice.Between(TimeSpan.FromSeconds(-3), TimeSpan.FromSeconds(20));
                return;
        }
        Repair(TimeSpan.FromSeconds(12), () => database.Health = DatabaseHealth.Good);
    }

    private void BreakMachine(FaultKind kind, Machine machine)
    {
        switch (kind)
        {
            case FaultKind.WallClockJump when machine.Agent is { } agent:
                agent.Place.Clock.WallOffset += dice.Between(TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
                if (dice.Pick(silos).Place is { } place)
                    place.Clock.WallOffset += dice.Between(TimeSpan.FromDays(-1), TimeSpan.FromDays(1));
                break;
            case FaultKind.AgentCrash:
                machine.Crash();
                if (dice.Chance(0.5))
                    sky.After(dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(5)), () => Bury(machine));
                Repair(TimeSpan.FromSeconds(8), machine.Start);
                break;
            case FaultKind.AgentFreeze or FaultKind.AgentSleep:
                machine.Freeze();
                Repair(TimeSpan.FromSeconds(25), () => machine.Thaw(kind == FaultKind.AgentSleep));
                break;
            case FaultKind.AgentLeaves:
                machine.Leave();
                Repair(TimeSpan.FromSeconds(10), machine.Start);
                break;
            case FaultKind.NodeFlap:
                Flap(machine, dice.Between(2, 8));
                break;
            case FaultKind.DeclaredDead:
                Bury(machine);
                break;
            default:
                ChangeMood(kind, machine);
                break;
        }
    }

    private void ChangeMood(FaultKind kind, Machine machine)
    {
        machine.Mood = kind switch
        {
            FaultKind.WorkFails => AgentMood.Good with
            {
                FailureChance = dice.Between(5, 60) / 100.0,
                FatalChance = dice.Chance(0.3) ? 0.05 : 0,
                ItemErrorChance = dice.Between(0, 20) / 100.0,
            },
            FaultKind.Repeats => AgentMood.Good with { RepeatChance = dice.Between(10, 90) / 100.0 },
            FaultKind.Refusals => AgentMood.Good with { RefusalChance = dice.Between(10, 90) / 100.0 },
            FaultKind.DeadlineReports => AgentMood.Good with { WaitsForDeadline = true },
            _ => machine.Mood,
        };
        // Its clock is a little behind, so that what comes at the deadline may come just after it.
        if (kind == FaultKind.DeadlineReports)
            machine.Agent?.Clock.Lose(dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(0.6)));
        Repair(TimeSpan.FromSeconds(25), () => machine.Mood = AgentMood.Good);
    }

    private void Flap(Machine machine, int times)
    {
        machine.Mood = times % 2 == 0 ? AgentMood.Good with { IsUnready = true } : AgentMood.Good;
        if (times > 0 && !isHealed)
            sky.After(dice.Between(TimeSpan.Zero, TimeSpan.FromSeconds(4)), () => Flap(machine, times - 1));
        else
            machine.Mood = AgentMood.Good;
    }

    private void Bury(Machine machine)
    {
        trace.Note("sky", $"{machine.Node} is declared dead");
        foreach (var silo in silos.Where(silo => silo.Place is not null))
            silo.Place!.Go(() => silo.NodeDied(machine.Node));
    }

    private void Repair(TimeSpan longest, Action repair) => sky.After(dice.Between(TimeSpan.Zero, longest), repair);
}
