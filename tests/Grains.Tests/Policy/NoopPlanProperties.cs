using CsCheck;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>What holds for every plan of no-ops, beside jobs of a model.</summary>
public sealed class NoopPlanProperties
{
    private static readonly Gen<DeviceSlot> Device =
        from ready in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        from heldBack in Gen.Frequency((5, Gen.Const(false)), (1, Gen.Const(true)))
        from slots in Gen.Int[0, 6]
        from free in Gen.Int[0, 6]
        from hasSuspect in Gen.Bool
        select Given.Device("?", ready: ready, heldBack: heldBack) with
        {
            NoopSlots = slots,
            FreeNoopSlots = Math.Min(slots, free),
            HasSuspect = hasSuspect,
        };

    private static readonly Gen<WaitingJob> Job =
        from priority in Gen.Int[-2, 2]
        from isNoop in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        from requeued in Gen.Int[0, 3]
        from isSuspect in Gen.Bool
        from failedOn in Gen.Int[0, 5]
        from items in Gen.Int[0, 40]
        from parallel in Gen.OneOf(Gen.Const(int.MaxValue), Gen.Int[0, 3])
        select Build(priority, isNoop, requeued, isSuspect, failedOn, items, parallel);

    private static readonly Gen<FleetSnapshot> Snapshot =
        from devices in Device.Array[0, 5]
        from jobs in Job.Array[0, 10]
        select new FleetSnapshot(
            [.. devices.Select((device, i) => device with { Id = Given.DeviceId($"n{i}") })],
            [
                .. jobs.Select(
                    (job, i) =>
                        job with
                        {
                            Id = Given.Job(i),
                            SubmitOrder = i,
                            Requeued =
                            [
                                .. job.Requeued.Select(s => s with { Id = new ShardId(Given.Job(i), s.Id.Number) }),
                            ],
                        }
                ),
            ],
            new PolicyOptions()
        );

    [Fact]
    public void Slots_are_never_taken_twice_and_no_job_has_more_shards_than_it_may() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            foreach (var device in snapshot.Devices)
            {
                var mine = plan.Placements.Where(p => p.Device == device.Id).ToList();
                var noops = mine.Where(p => JobOf(p, snapshot).Kind == JobKind.Noop).ToList();
                Assert.True(noops.Count <= (device.IsFreeForNoops ? device.FreeNoopSlots : 0));
                Assert.True(mine.Count - noops.Count <= (device.IsFree ? 1 : 0));
                var suspects = noops.Count(p => ShardOf(p, snapshot)?.IsSuspect == true);
                Assert.True(suspects <= (device.HasSuspect ? 0 : 1));
            }
            foreach (var job in snapshot.Queue)
                Assert.True(plan.Placements.Count(p => p.Shard.Job == job.Id) <= job.ParallelLeft);
            Assert.Equal(plan.Placements.Length, plan.Placements.Select(p => p.Shard).Distinct().Count());
        });

    [Fact]
    public void No_slot_stays_free_that_new_items_could_use() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            var free = snapshot.Devices.Sum(device => device.IsFreeForNoops ? device.FreeNoopSlots : 0);
            var used = plan.Placements.Count(p => JobOf(p, snapshot).Kind == JobKind.Noop);
            if (used == free)
                return;
            foreach (var job in snapshot.Queue.Where(job => job.Kind == JobKind.Noop))
            {
                var mine = plan.Placements.Where(p => p.Shard.Job == job.Id).ToList();
                var covered = mine.Where(p => p.IsNew).Sum(p => p.ItemCount);
                Assert.True(mine.Count == job.ParallelLeft || job.NextItem + covered == job.ItemCount);
            }
        });

    [Fact]
    public void The_plan_does_not_depend_on_the_order_of_its_lists() =>
        Snapshot.Sample(snapshot =>
        {
            var shuffled = snapshot with
            {
                Devices = [.. snapshot.Devices.Reverse()],
                Queue = [.. snapshot.Queue.Reverse()],
            };
            Assert.Equal(Planner.Plan(snapshot).Placements, Planner.Plan(shuffled).Placements);
        });

    [Fact]
    public void Jobs_are_served_in_queue_order() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            var order = snapshot.Queue.Sort(QueueOrder.Instance).Select(job => job.Id).ToList();
            var served = plan
                .Placements.Where(p => JobOf(p, snapshot).Kind == JobKind.Noop)
                .Select(p => order.IndexOf(p.Shard.Job))
                .ToList();
            Assert.Equal(served.Order(), served);
        });

    [Theory]
    [InlineData(1, 64, 1)]
    [InlineData(128, 64, 1)]
    [InlineData(129, 64, 2)]
    [InlineData(1_000_000, 64, 512)]
    public void A_guided_size_over_slots_goes_down_to_one(int remaining, int slots, int expected) =>
        Assert.Equal(expected, Sharding.GuidedSlots(remaining, slots, new PolicyOptions()));

    private static WaitingJob JobOf(Placement placement, FleetSnapshot snapshot) =>
        snapshot.Queue.Single(job => job.Id == placement.Shard.Job);

    private static WaitingShard? ShardOf(Placement placement, FleetSnapshot snapshot) =>
        JobOf(placement, snapshot).Requeued.SingleOrDefault(shard => shard.Id == placement.Shard);

    private static WaitingJob Build(
        int priority,
        bool isNoop,
        int requeued,
        bool isSuspect,
        int failedOn,
        int items,
        int parallel
    )
    {
        var shards = Enumerable
            .Range(0, requeued)
            .Select(n =>
                Given.Requeued(0, n, n * 10, 10, n == 0 ? Given.DeviceId($"n{failedOn}") : null) with
                {
                    IsSuspect = isSuspect,
                }
            )
            .ToArray();
        var next = requeued * 10;
        var count = next + Math.Max(items, requeued == 0 ? 1 : 0);
        return Given.Waiting(0, count, priority, model: null, shards, next) with
        {
            Kind = isNoop ? JobKind.Noop : JobKind.Batch,
            Model = isNoop ? null : Given.Model(),
            ParallelLeft = parallel,
        };
    }
}
