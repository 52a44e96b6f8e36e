using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

public sealed class PlannerTests
{
    [Fact]
    public void Free_devices_share_the_first_job_in_guided_sizes()
    {
        var plan = Planner.Plan(Given.Snapshot([Given.Device("a"), Given.Device("b")], Given.Waiting(1, items: 200)));

        Assert.Equal([(0, 50), (50, 38)], plan.Placements.Select(p => (p.FirstItem, p.ItemCount)));
        Assert.Equal([0, 1], plan.Placements.Select(p => p.Shard.Number));
        Assert.Equal(2, plan.Placements.Select(p => p.Device).Distinct().Count());
    }

    [Fact]
    public void A_faster_device_gets_a_larger_shard()
    {
        var plan = Planner.Plan(
            Given.Snapshot(
                [Given.Device("slow", tokensPerSecond: 10), Given.Device("fast", tokensPerSecond: 30)],
                Given.Waiting(1, items: 400)
            )
        );

        Assert.Equal(Given.DeviceId("fast"), plan.Placements[0].Device);
        Assert.Equal(150, plan.Placements[0].ItemCount);
        Assert.Equal(32, plan.Placements[1].ItemCount);
    }

    [Fact]
    public void Priority_comes_before_submit_order()
    {
        var snapshot = Given.Snapshot(
            [Given.Device("a")],
            Given.Waiting(1),
            Given.Waiting(2, priority: 5),
            Given.Waiting(3, priority: 5)
        );

        var plan = Planner.Plan(snapshot);

        Assert.Equal(Given.Job(2), Assert.Single(plan.Placements).Shard.Job);
        Assert.Null(Planner.Explain(Given.Job(2), snapshot, plan));
        Assert.Equal(RefusalCode.WaitingForPriority, Planner.Explain(Given.Job(1), snapshot, plan)?.Code);
        Assert.Equal(RefusalCode.WaitingForPriority, Planner.Explain(Given.Job(3), snapshot, plan)?.Code);
    }

    [Fact]
    public void A_requeued_shard_runs_before_new_ones_of_its_job_under_the_next_epoch()
    {
        var job = Given.Waiting(1, requeued: [Given.Requeued(1, 0, 0, 30)], nextItem: 30);

        var placement = Assert.Single(Planner.Plan(Given.Snapshot([Given.Device("a")], job)).Placements);

        Assert.Equal(new Placement(new ShardId(Given.Job(1), 0), Epoch: 2, 0, 30, Given.DeviceId("a")), placement);
    }

    [Fact]
    public void A_shard_does_not_go_back_to_the_device_it_failed_on_while_another_fits()
    {
        var failed = Given.Requeued(1, 0, 0, 30, failedOn: Given.DeviceId("a"));
        var job = Given.Waiting(1, requeued: [failed], nextItem: 30);

        var both = Planner.Plan(Given.Snapshot([Given.Device("a"), Given.Device("b")], job));
        Assert.Equal(Given.DeviceId("b"), both.Placements.Single(p => p.Shard.Number == 0).Device);

        var otherIsBusy = Planner.Plan(Given.Snapshot([Given.Device("a"), Given.Device("b", leased: true)], job));
        Assert.Equal(1, Assert.Single(otherIsBusy.Placements).Shard.Number);

        var alone = Planner.Plan(Given.Snapshot([Given.Device("a")], job));
        Assert.Equal(0, Assert.Single(alone.Placements).Shard.Number);
    }

    [Fact]
    public void A_job_whose_model_does_not_fit_does_not_keep_a_device_from_the_next_job()
    {
        var huge = Given.Model("huge", weightBytes: 20 * Given.Gigabyte);

        var snapshot = Given.Snapshot(
            [Given.Device("a")],
            Given.Waiting(1, priority: 9, model: huge),
            Given.Waiting(2)
        );

        var plan = Planner.Plan(snapshot);

        Assert.Equal(Given.Job(2), Assert.Single(plan.Placements).Shard.Job);
        var why = Planner.Explain(Given.Job(1), snapshot, plan);
        Assert.Equal(RefusalCode.ModelTooLarge, why?.Code);
        Assert.Contains("20.1 GB", why?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_reason_to_wait_has_its_own_refusal()
    {
        var job = Given.Waiting(1);

        Assert.Equal(RefusalCode.ModelNotFound, Why(job with { Model = null }, Given.Device("a")));
        Assert.Equal(RefusalCode.NoMatchingDevice, Why(job));
        Assert.Equal(RefusalCode.NoMatchingDevice, Why(job, Given.Device("a", ready: false)));
        Assert.Equal(RefusalCode.WaitingForPriority, Why(job, Given.Device("a", leased: true)));
        Assert.Equal(RefusalCode.DeviceBusy, Why(job, Given.Device("a", heldBack: true)));
        Assert.Equal(
            RefusalCode.WaitingForGpuMemory,
            Why(job, Given.Device("a", active: 1, used: 8 * Given.Gigabyte, loaded: ["sha-other"]))
        );
    }

    [Fact]
    public void A_device_with_the_model_loaded_is_preferred()
    {
        var plan = Planner.Plan(
            Given.Snapshot(
                [Given.Device("a", tokensPerSecond: 90), Given.Device("b", tokensPerSecond: 10, loaded: ["sha-small"])],
                Given.Waiting(1, items: 4)
            )
        );

        Assert.Equal(Given.DeviceId("b"), Assert.Single(plan.Placements).Device);
    }

    [Theory]
    [InlineData(1, 1, 2, 1)]
    [InlineData(3, 1, 2, 3)]
    [InlineData(200, 1, 2, 50)]
    [InlineData(10, 1, 100, 4)]
    [InlineData(1_000_000, 1, 1, 512)]
    public void A_guided_size_is_half_the_fair_part_within_bounds(
        int remaining,
        double rate,
        double total,
        int expected
    ) => Assert.Equal(expected, Sharding.GuidedSize(remaining, rate, total, new PolicyOptions()));

    [Fact]
    public void A_rate_that_is_no_number_counts_as_not_measured()
    {
        DeviceSlot[] devices =
        [
            Given.Device("a", tokensPerSecond: 10),
            Given.Device("b", tokensPerSecond: double.NaN),
            Given.Device("c", tokensPerSecond: double.PositiveInfinity),
            Given.Device("d", tokensPerSecond: -5),
        ];

        Assert.Equal([10, 10, 10, 10], Sharding.Rates(devices));
    }

    private static RefusalCode Why(WaitingJob job, params DeviceSlot[] devices)
    {
        var snapshot = Given.Snapshot(devices, job);
        var plan = Planner.Plan(snapshot);
        Assert.Empty(plan.Placements);
        return Planner.Explain(job.Id, snapshot, plan)!.Code;
    }
}
