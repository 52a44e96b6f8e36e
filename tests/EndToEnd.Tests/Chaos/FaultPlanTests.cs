using EgpuFleet.TestKit.Fleet.Chaos;

namespace EgpuFleet.EndToEnd.Tests.Chaos;

/// <summary>The plan of a chaos run.</summary>
public sealed class FaultPlanTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    [Fact]
    public void A_seed_plans_the_same_faults_again_and_another_seed_others()
    {
        Assert.Equal(Plan(1), Plan(1));
        Assert.NotEqual(Plan(1), Plan(2));
    }

    [Fact]
    public void Every_kind_comes_equally_often_and_freezes_outlast_two_leases()
    {
        var plan = Plan(7);

        Assert.All(Enum.GetValues<FaultKind>(), kind => Assert.Equal(5, plan.Count(fault => fault.Kind == kind)));
        Assert.All(
            plan.Where(fault => fault.Kind is FaultKind.AgentFrozen or FaultKind.LeaderFrozen),
            fault => Assert.True(fault.Outage > 2 * Lease)
        );
        Assert.All(plan, fault => Assert.InRange(fault.At, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        Assert.Equal(plan.OrderBy(fault => fault.At), plan);
    }

    private static IReadOnlyList<Fault> Plan(int seed) => FaultPlan.Make(seed, 40, TimeSpan.FromMinutes(1), Lease);
}
