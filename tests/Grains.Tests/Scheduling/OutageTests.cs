using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>The ledger is away for a while: nothing is lost, and running work goes on.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Leases_are_prolonged_while_the_ledger_is_away_and_the_work_is_reported_afterwards()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var work = await a.NextAsync();
        await FallAsync(rig);

        await Assert.ThrowsAsync<PoolUnavailableException>(() => rig.SubmitNoopAsync());
        await Assert.ThrowsAsync<PoolUnavailableException>(() => a.ReportAsync(rig, work, 4));
        for (var passed = TimeSpan.Zero; passed < 3 * rig.Options.LeaseDuration; passed += rig.Options.Tick)
        {
            rig.Time.Advance(rig.Options.Tick);
            Assert.Equal([work.Lease], (await a.HeartbeatAsync(rig)).Renewed);
        }
        rig.Ledger.IsAway = false;
        await rig.UntilLeadingAsync();

        Assert.Equal(ReportReply.Accepted, await a.FinishAsync(rig, work));
        await rig.AssertCompleteAsync(job, 4);
        Assert.DoesNotContain(await rig.EventsAsync(job), e => e.Kind == JobEventKind.ShardRequeued);
    }

    [Fact]
    public async Task The_fleet_is_known_as_soon_as_the_ledger_is_back()
    {
        var a = new FakeAgent("a") { NoopSlots = 1 };
        await using var rig = await Rig.StartAsync(a);
        await FallAsync(rig);
        await a.HeartbeatAsync(rig);
        rig.Ledger.IsAway = false;
        await rig.UntilLeadingAsync();

        await rig.SubmitNoopAsync();

        await a.NextAsync();
        Assert.Equal(NodeState.Ready, Assert.Single(await rig.Loop.GetFleetAsync()).State);
    }

    [Fact]
    public async Task A_node_that_dies_during_the_outage_is_not_waited_for()
    {
        var (a, b) = (new FakeAgent("a"), new FakeAgent("b"));
        await using var rig = await Rig.StartAsync(a);
        var job = await rig.SubmitAsync(4);
        var work = await a.NextAsync();
        await FallAsync(rig);
        rig.Loop.NodeDied(a.Device.Node);
        Assert.Equal([work.Lease], (await a.HeartbeatAsync(rig)).Revoked);
        rig.Loop.NodeDied(a.Device.Node);
        rig.Join(b);
        rig.Ledger.IsAway = false;
        await rig.UntilLeadingAsync();

        await rig.PassTimeUntilAsync(job, e => Rig.Has(e, JobEventKind.ShardRequeued), b);

        Assert.Equal((work.Lease.Shard, 2), ((await b.NextAsync()).Lease.Shard, 2));
    }

    [Fact]
    public async Task An_outage_longer_than_the_grace_lets_leases_run_out()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(
            new Grains.Scheduling.SchedulingOptions { OutageGrace = TimeSpan.FromSeconds(30) },
            a
        );
        await rig.SubmitAsync(4);
        await a.NextAsync();
        await FallAsync(rig);

        rig.Time.Advance(TimeSpan.FromSeconds(29));
        await a.HeartbeatAsync(rig);
        rig.Time.Advance(TimeSpan.FromSeconds(2));

        await Assert.ThrowsAsync<PoolUnavailableException>(() => a.HeartbeatAsync(rig));
    }

    [Fact]
    public async Task A_leader_that_was_superseded_prolongs_nothing()
    {
        var a = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(a);
        await rig.SubmitAsync(4);
        await a.NextAsync();
        await FallAsync(rig);
        await a.HeartbeatAsync(rig);

        rig.Time.Advance(rig.Options.LeaderLease);
        rig.Ledger.IsAway = false;
        var usurper = await rig.Ledger.AcquireLeadershipAsync(
            PoolId.Default,
            "x",
            TimeSpan.FromHours(1),
            TestContext.Current.CancellationToken
        );
        Assert.NotNull(usurper);

        await rig.PassTimeUntilAsync(async () =>
        {
            try
            {
                await a.HeartbeatAsync(rig);
                return false;
            }
            catch (PoolUnavailableException)
            {
                return true;
            }
        });
        Assert.False(rig.Loop.IsLeading);
    }

    /// <summary>The ledger goes away, and the scheduler notices it by its next renewal.</summary>
    private static async Task FallAsync(Rig rig)
    {
        rig.Ledger.IsAway = true;
        await rig.PassTimeUntilAsync(() => Task.FromResult(!rig.Loop.IsLeading));
    }
}
