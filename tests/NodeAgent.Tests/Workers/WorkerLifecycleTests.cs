using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.NodeAgent.Workers;

namespace EgpuFleet.NodeAgent.Tests.Workers;

public sealed class WorkerLifecycleTests
{
    private static readonly WorkerEvent[] Events =
    [
        new WorkerEvent.Connected(),
        new WorkerEvent.Tested(),
        new WorkerEvent.Died(TimeSpan.FromSeconds(5), "gone"),
        new WorkerEvent.Waited(),
        new WorkerEvent.StopAsked(),
        new WorkerEvent.HeldBack(new WorkerHold(HoldKind.Ejected, "ejected")),
        new WorkerEvent.Released(),
        new WorkerEvent.Cleared(),
    ];

    [Fact]
    public void Every_event_in_every_phase_leads_where_the_table_says()
    {
        var table = new Dictionary<(WorkerPhase, Type), WorkerPhase>
        {
            [(WorkerPhase.Starting, typeof(WorkerEvent.Connected))] = WorkerPhase.Testing,
            [(WorkerPhase.Starting, typeof(WorkerEvent.Died))] = WorkerPhase.Waiting,
            [(WorkerPhase.Testing, typeof(WorkerEvent.Tested))] = WorkerPhase.Ready,
            [(WorkerPhase.Testing, typeof(WorkerEvent.Died))] = WorkerPhase.Waiting,
            [(WorkerPhase.Ready, typeof(WorkerEvent.Died))] = WorkerPhase.Waiting,
            [(WorkerPhase.Waiting, typeof(WorkerEvent.Waited))] = WorkerPhase.Starting,
            [(WorkerPhase.Quarantined, typeof(WorkerEvent.Waited))] = WorkerPhase.Starting,
            [(WorkerPhase.Waiting, typeof(WorkerEvent.Cleared))] = WorkerPhase.Starting,
            [(WorkerPhase.Quarantined, typeof(WorkerEvent.Cleared))] = WorkerPhase.Starting,
            [(WorkerPhase.Held, typeof(WorkerEvent.Released))] = WorkerPhase.Starting,
        };
        foreach (var phase in Enum.GetValues<WorkerPhase>())
        {
            foreach (var happened in Events)
            {
                var life = WorkerLife.New with { Phase = phase };
                var after = WorkerLifecycle.Apply(life, happened);
                var expected = happened switch
                {
                    _ when phase == WorkerPhase.Stopped => WorkerPhase.Stopped,
                    WorkerEvent.StopAsked => WorkerPhase.Stopped,
                    WorkerEvent.HeldBack => WorkerPhase.Held,
                    _ => table.GetValueOrDefault((phase, happened.GetType()), phase),
                };
                Assert.Equal(expected, after.Phase);
                if (expected == phase && happened is not WorkerEvent.HeldBack)
                    Assert.Same(life, after);
            }
        }
    }

    [Fact]
    public void Restarts_wait_longer_with_each_death_of_the_last_minute()
    {
        var life = WorkerLife.New;
        var now = TimeSpan.Zero;
        foreach (var wait in (int[])[250, 500, 1000, 2000])
        {
            now += TimeSpan.FromSeconds(3);
            life = Die(life, now);
            Assert.Equal(WorkerPhase.Waiting, life.Phase);
            Assert.Equal(now + TimeSpan.FromMilliseconds(wait), life.RestartAt);
        }
    }

    [Fact]
    public void Five_deaths_in_a_minute_quarantine_and_say_what_to_do()
    {
        var life = WorkerLife.New;
        for (var death = 0; death < Limits.DeathsToQuarantine; death++)
            life = Die(life, TimeSpan.FromSeconds(14 * death));
        Assert.Equal(WorkerPhase.Quarantined, life.Phase);
        Assert.Contains("boom", life.Reason, StringComparison.Ordinal);
        Assert.Contains("restart the agent", life.Reason, StringComparison.Ordinal);
        Assert.Equal(WorkerPhase.Quarantined, Die(life, TimeSpan.FromHours(1)).Phase);
    }

    [Fact]
    public void A_quarantine_ends_by_itself_and_one_more_death_soon_brings_it_back()
    {
        var life = WorkerLife.New;
        for (var death = 0; death < Limits.DeathsToQuarantine; death++)
            life = Die(life, TimeSpan.Zero);
        Assert.Equal(Limits.QuarantineFor, life.RestartAt);
        var tried = WorkerLifecycle.Apply(life, new WorkerEvent.Waited());
        Assert.Equal(WorkerPhase.Starting, tried.Phase);
        Assert.Equal(WorkerPhase.Quarantined, Die(tried, life.RestartAt + TimeSpan.FromSeconds(1)).Phase);
        var late = Die(tried, life.RestartAt + Limits.DeathWindow);
        Assert.Equal(WorkerPhase.Waiting, late.Phase);
        Assert.Single(late.Deaths);
    }

    [Fact]
    public void Deaths_that_are_rarer_than_the_window_never_quarantine()
    {
        var life = WorkerLife.New;
        for (var death = 0; death < 100; death++)
        {
            life = Die(life, TimeSpan.FromSeconds(15.1 * death));
            Assert.Equal(WorkerPhase.Waiting, life.Phase);
            Assert.InRange(life.Deaths.Length, 1, Limits.DeathsToQuarantine - 1);
        }
    }

    [Fact]
    public void A_passed_test_clears_the_reason_but_not_the_count()
    {
        var life = Die(WorkerLife.New, TimeSpan.FromSeconds(1));
        foreach (var happened in (WorkerEvent[])[new WorkerEvent.Waited(), Events[0], Events[1]])
            life = WorkerLifecycle.Apply(life, happened);
        Assert.Equal(WorkerPhase.Ready, life.Phase);
        Assert.Null(life.Reason);
        Assert.Single(life.Deaths);
    }

    [Fact]
    public void The_same_trouble_again_goes_on_since_its_first_time_and_a_passed_test_ends_it()
    {
        var life = WorkerLife.New;
        for (var death = 0; death < 2; death++)
        {
            if (death > 0)
                life = WorkerLifecycle.Apply(life, new WorkerEvent.Waited());
            life = WorkerLifecycle.Apply(
                life,
                new WorkerEvent.Died(TimeSpan.FromSeconds(death), "KeyError: 63", Trouble(death))
            );
        }
        Assert.Equal("architecture_reads_ones", life.Trouble?.Death.Id);
        Assert.Equal(DateTimeOffset.UnixEpoch, life.Trouble?.Since);
        foreach (var happened in (WorkerEvent[])[new WorkerEvent.Waited(), Events[0], Events[1]])
            life = WorkerLifecycle.Apply(life, happened);
        Assert.Null(life.Trouble);

        static WorkerTrouble Trouble(int second) =>
            new(WorkerDeath.Explain("Traceback\nKeyError: 63\n"), DateTimeOffset.UnixEpoch.AddSeconds(second));
    }

    [Theory]
    [InlineData(29, true)]
    [InlineData(31, false)]
    public void Two_hangs_in_a_row_quarantine_however_well_it_worked_in_between(int minutesApart, bool isQuarantined)
    {
        var life = Hang(WorkerLife.New, TimeSpan.Zero);
        Assert.Equal(WorkerPhase.Waiting, life.Phase);
        foreach (var happened in (WorkerEvent[])[new WorkerEvent.Waited(), Events[0], Events[1]])
            life = WorkerLifecycle.Apply(life, happened);
        Assert.Equal(WorkerPhase.Ready, life.Phase);
        life = Hang(life, TimeSpan.FromMinutes(minutesApart));
        Assert.Equal(isQuarantined ? WorkerPhase.Quarantined : WorkerPhase.Waiting, life.Phase);
        Assert.Equal(isQuarantined, life.Reason!.Contains("hung twice in a row", StringComparison.Ordinal));
        // Whatever ends the quarantine, the next worker is tested before it is ready.
        if (isQuarantined)
            Assert.Equal(WorkerPhase.Starting, WorkerLifecycle.Apply(life, new WorkerEvent.Waited()).Phase);

        static WorkerLife Hang(WorkerLife life, TimeSpan at) =>
            WorkerLifecycle.Apply(
                life,
                new WorkerEvent.Died(
                    at,
                    "no token came",
                    new WorkerTrouble(WorkerDeath.OfHang("no token came"), DateTimeOffset.UnixEpoch, IsHang: true)
                )
            );
    }

    [Theory]
    [InlineData("AER uncorrectable status 0xffffffff", 1, true)]
    [InlineData("KeyError: 63", 1, null)]
    [InlineData("KeyError: 63", 2, false)]
    [InlineData("OddError: 7", 2, null)]
    public void A_failure_that_another_start_does_not_mend_rests(string text, int deaths, bool? isForGood)
    {
        var life = WorkerLife.New;
        for (var death = 0; death < deaths; death++)
        {
            life = WorkerLifecycle.Apply(life, new WorkerEvent.Waited());
            var trouble = new WorkerTrouble(WorkerDeath.Explain(text), DateTimeOffset.UnixEpoch);
            life = WorkerLifecycle.Apply(life, new WorkerEvent.Died(TimeSpan.FromSeconds(death), text, trouble));
        }
        Assert.Equal(isForGood is null ? WorkerPhase.Waiting : WorkerPhase.Quarantined, life.Phase);
        Assert.Equal(isForGood == true, life.RestartAt == TimeSpan.MaxValue);
        Assert.Equal(WorkerLife.New, WorkerLifecycle.Apply(life, new WorkerEvent.Cleared()));
    }

    private static WorkerLife Die(WorkerLife life, TimeSpan at)
    {
        if (life.Phase == WorkerPhase.Waiting)
            life = WorkerLifecycle.Apply(life, new WorkerEvent.Waited());
        return WorkerLifecycle.Apply(life, new WorkerEvent.Died(at, "boom"));
    }
}
