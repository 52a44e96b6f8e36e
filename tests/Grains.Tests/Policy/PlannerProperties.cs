using CsCheck;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>What holds for every plan, whatever the fleet and the queue.</summary>
public sealed class PlannerProperties
{
    private static readonly string[] Models = ["tiny", "mid", "huge"];

    private static readonly Gen<DeviceSlot> Device =
        from ready in Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false)))
        from leased in Gen.Frequency((3, Gen.Const(false)), (1, Gen.Const(true)))
        from heldBack in Gen.Frequency((5, Gen.Const(false)), (1, Gen.Const(true)))
        from rate in Gen.OneOf(Gen.Const(0.0), Gen.Double[0.1, 500], Gen.Const(double.NaN))
        from gigabytes in Gen.Int[1, 30]
        from used in Gen.Int[0, 30]
        from active in Gen.Int[0, 2]
        from loaded in Gen.OneOf(Gen.Const("sha-tiny"), Gen.Const("sha-mid"), Gen.Const("none"))
        select Given.Device(
            "?",
            rate,
            gigabytes * Given.Gigabyte,
            ready,
            leased,
            heldBack,
            [loaded],
            active,
            used * Given.Gigabyte
        );

    private static readonly Gen<WaitingJob> Job =
        from priority in Gen.Int[-2, 2]
        from model in Gen.Int[0, 3]
        from requeued in Gen.Int[0, 3]
        from failedOn in Gen.Int[0, 6]
        from items in Gen.Int[0, 3000]
        select Build(priority, model, requeued, failedOn, items);

    private static readonly Gen<FleetSnapshot> Snapshot =
        from devices in Device.Array[0, 6]
        from jobs in Job.Array[0, 6]
        select new FleetSnapshot(
            [.. devices.Select((device, i) => device with { Id = Given.DeviceId($"n{i}") })],
            [.. jobs.Select((job, i) => Number(job, i))],
            new PolicyOptions()
        );

    [Fact]
    public void A_plan_is_a_function_of_its_snapshot_whatever_the_order_of_its_lists() =>
        Snapshot.Sample(
            snapshot =>
            {
                var plan = Planner.Plan(snapshot);
                var shuffled = snapshot with
                {
                    Devices = [.. snapshot.Devices.Reverse()],
                    Queue = [.. snapshot.Queue.Reverse()],
                };
                Assert.Equal(plan.Placements, Planner.Plan(snapshot).Placements);
                Assert.Equal(plan.Placements, Planner.Plan(shuffled).Placements);
                foreach (var job in snapshot.Queue)
                    Assert.Equal(Planner.Explain(job.Id, snapshot, plan), Planner.Explain(job.Id, shuffled, plan));
            },
            seed: "b6_5diTRaxR2",
            iter: 2000
        );

    [Fact]
    public void A_plan_uses_free_devices_once_and_within_their_memory() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            Assert.Equal(plan.Placements.Length, plan.Placements.Select(p => p.Device).Distinct().Count());
            Assert.Equal(plan.Placements.Length, plan.Placements.Select(p => p.Shard).Distinct().Count());
            foreach (var placement in plan.Placements)
            {
                var device = snapshot.Devices.Single(d => d.Id == placement.Device);
                var model = snapshot.Queue.Single(j => j.Id == placement.Shard.Job).Model!;
                Assert.True(device is { Ready: true, Leased: false, HeldBack: false });
                Assert.True(Feasibility.RequiredBytes(model) <= device.MemoryBytes);
                Assert.True(Feasibility.FitsNow(device, model));
            }
        });

    [Fact]
    public void No_device_stays_free_that_a_waiting_job_could_use() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            var idle = snapshot.Devices.Where(d => d.IsFree && plan.Placements.All(p => p.Device != d.Id)).ToList();
            foreach (var job in snapshot.Queue)
            {
                var (newLeft, requeuedLeft) = Left(job, plan);
                foreach (var device in idle.Where(d => Fits(d, job, snapshot)))
                {
                    Assert.False(newLeft > 0, $"{device.Id} is idle beside {newLeft} items");
                    // Only a shard that failed there, and may still go elsewhere, is kept from it.
                    Assert.All(
                        requeuedLeft,
                        shard =>
                        {
                            Assert.Equal(device.Id, shard.FailedOn);
                            Assert.Contains(
                                snapshot.Devices,
                                d => d.Ready && d.Id != device.Id && Fits(d, job, snapshot)
                            );
                        }
                    );
                }
            }
        });

    [Fact]
    public void New_shards_continue_their_job_without_gap_or_overlap() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            foreach (var job in snapshot.Queue)
            {
                var (item, number) = (job.NextItem, job.NextShardNumber);
                foreach (var placement in plan.Placements.Where(p => p.Shard.Job == job.Id && p.IsNew))
                {
                    Assert.Equal((item, number), (placement.FirstItem, placement.Shard.Number));
                    Assert.InRange(placement.ItemCount, 1, snapshot.Options.MaxShardItems);
                    item += placement.ItemCount;
                    number++;
                }
                Assert.True(item <= job.ItemCount);
            }
        });

    [Fact]
    public void Planning_again_and_again_partitions_the_items_exactly() =>
        Gen.Select(Gen.Int[1, 20_000], Gen.Double[0.1, 100].Array[1, 5])
            .Sample(
                (items, rates) =>
                {
                    DeviceSlot[] devices = [.. rates.Select((rate, i) => Given.Device($"n{i}", rate))];
                    var job = Given.Waiting(1, items);
                    var covered = 0;
                    while (job.NextItem < items)
                    {
                        var placements = Planner.Plan(Given.Snapshot(devices, job)).Placements;
                        Assert.NotEmpty(placements);
                        foreach (var placement in placements)
                        {
                            Assert.Equal(covered, placement.FirstItem);
                            covered += placement.ItemCount;
                        }
                        job = job with
                        {
                            NextItem = covered,
                            NextShardNumber = job.NextShardNumber + placements.Length,
                        };
                    }
                    Assert.Equal(items, covered);
                },
                iter: 50
            );

    [Fact]
    public void Retries_of_a_job_come_before_its_new_shards_and_epochs_grow_by_one() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            foreach (var job in snapshot.Queue)
            {
                var isNew = plan.Placements.Where(p => p.Shard.Job == job.Id).Select(p => p.IsNew).ToList();
                Assert.Equal(isNew.Order(), isNew);
            }
            foreach (var placement in plan.Placements.Where(p => !p.IsNew))
            {
                var shard = snapshot.Queue.SelectMany(j => j.Requeued).Single(s => s.Id == placement.Shard);
                Assert.Equal(shard.Epoch + 1, placement.Epoch);
                Assert.Equal((shard.FirstItem, shard.ItemCount), (placement.FirstItem, placement.ItemCount));
            }
        });

    [Fact]
    public void Every_job_gets_a_placement_or_a_reason() =>
        Snapshot.Sample(snapshot =>
        {
            var plan = Planner.Plan(snapshot);
            var placed = plan.Placements.Select(p => p.Shard.Job).ToHashSet();
            foreach (var job in snapshot.Queue)
                Assert.NotEqual(placed.Contains(job.Id), Planner.Explain(job.Id, snapshot, plan) is not null);
        });

    private static WaitingJob Build(int priority, int model, int requeued, int failedOn, int items)
    {
        var record = model == 3 ? null : Given.Model(Models[model], (new[] { 1L, 8, 25 })[model] * Given.Gigabyte);
        var shards = Enumerable
            .Range(0, requeued)
            .Select(n => Given.Requeued(0, n, n * 10, 10, n == 0 ? Given.DeviceId($"n{failedOn}") : null))
            .ToArray();
        var next = requeued * 10;
        return Given.Waiting(0, next + Math.Max(items, requeued == 0 ? 1 : 0), priority, null, shards, next) with
        {
            Model = record,
        };
    }

    private static WaitingJob Number(WaitingJob job, int i) =>
        job with
        {
            Id = Given.Job(i),
            SubmitOrder = i,
            Requeued = [.. job.Requeued.Select(s => s with { Id = new ShardId(Given.Job(i), s.Id.Number) })],
        };

    private static bool Fits(DeviceSlot device, WaitingJob job, FleetSnapshot snapshot) =>
        job.Model is not null && Feasibility.FitsNow(device, job.Model);

    private static (int NewLeft, List<WaitingShard> RequeuedLeft) Left(WaitingJob job, Plan plan)
    {
        var mine = plan.Placements.Where(p => p.Shard.Job == job.Id).ToList();
        var covered = mine.Where(p => p.IsNew).Sum(p => p.ItemCount);
        return (
            job.ItemCount - job.NextItem - covered,
            [.. job.Requeued.Where(shard => mine.TrueForAll(p => p.Shard != shard.Id))]
        );
    }
}
