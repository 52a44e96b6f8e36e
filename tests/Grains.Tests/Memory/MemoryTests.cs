using CsCheck;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Scheduling.Memory;
using EgpuFleet.Grains.Tests.Policy;

namespace EgpuFleet.Grains.Tests.Memory;

/// <summary>The leader's own collections behave as the plain ones they stand for.</summary>
public sealed class MemoryTests
{
    [Fact]
    public void A_set_of_items_is_a_set_of_the_numbers_of_its_range() =>
        Gen.Select(Gen.Int[0, 100], Gen.Int[1, 200], Gen.Bool, Gen.Select(Gen.Int[-5, 310], Gen.Bool).Array[0, 60])
            .Sample(
                (first, length, isFull, changes) =>
                {
                    var set = isFull ? ItemSet.Full(first, length) : ItemSet.Empty(first, length);
                    var plain = isFull ? Enumerable.Range(first, length).ToHashSet() : [];
                    foreach (var (item, isAdd) in changes)
                    {
                        var isInRange = item >= first && item < first + length;
                        if (isAdd)
                            Assert.Equal(isInRange && plain.Add(item), set.Add(item));
                        else
                            Assert.Equal(plain.Remove(item), set.Remove(item));
                    }
                    Assert.Equal(plain.Count, set.Count);
                    for (var item = first - 2; item < first + length + 2; item++)
                        Assert.Equal(plain.Contains(item), set.Contains(item));
                }
            );

    [Fact]
    public void A_queue_gives_the_first_by_priority_and_then_by_submit_whatever_left_and_came_back() =>
        Gen.Select(Gen.Select(Gen.Int[0, 4], Gen.Int[-2, 2], Gen.Int[0, 30]).Array[0, 80], Gen.Int[0, 12])
            .Sample(
                (steps, take) =>
                {
                    var shape = new Shape(JobKind.Noop, modelRef: null, devices: null);
                    var all = new List<WaitingEntry>();
                    var inQueue = new HashSet<WaitingEntry>();
                    foreach (var (what, priority, which) in steps)
                    {
                        if (what <= 1 || all.Count == 0)
                        {
                            var fresh = Entry(all.Count, priority, shape);
                            all.Add(fresh);
                            inQueue.Add(fresh);
                            shape.Queue.Append(fresh);
                            continue;
                        }
                        var entry = all[which % all.Count];
                        if (what == 2 && inQueue.Add(entry))
                            shape.Queue.Return(entry);
                        else if (what > 2 && inQueue.Remove(entry))
                            shape.Queue.Remove(entry);
                    }
                    var heads = new List<IQueued>();
                    shape.Queue.Collect(take, maxReturned: take, heads);
                    var expected = inQueue.Order(QueuedOrder.Instance).Take(take);
                    Assert.Equal(expected, heads.Take(take));
                    Assert.Equal(inQueue.Count, shape.Queue.WaitingCount);
                    Assert.Equal(inQueue.Count == 0, shape.Queue.IsEmpty);
                }
            );

    [Fact]
    public void Kept_work_never_takes_more_than_its_bytes_and_is_given_away_once()
    {
        var cache = new WorkCache(10_000);
        var specs = Enumerable.Range(1, 20).Select(Spec).ToList();
        foreach (var spec in specs)
            cache.Offer(spec, [new BatchItem(0, "r-0", new string('x', 500), Messages: null)]);

        Assert.InRange(cache.Bytes, 5_000, 10_000);
        Assert.NotNull(cache.Take(specs[0].Id));
        Assert.Null(cache.Take(specs[0].Id));
        Assert.Null(cache.Take(specs[^1].Id));
        foreach (var spec in specs)
            cache.Take(spec.Id);
        Assert.Equal(0, cache.Bytes);
        cache.Offer(specs[0], [new BatchItem(0, "r-0", new string('x', Limits.CachedJobBytes), Messages: null)]);
        Assert.Equal(0, cache.Bytes);
    }

    [Fact]
    public void A_dependency_index_forgets_what_waits_no_more()
    {
        var index = new DependencyIndex();
        var (first, second, after) = (Given.Job(1), Given.Job(2), Given.Job(3));
        index.Add(after, [(On(first), JobState.Running), (On(second), null)]);

        Assert.Equal((DependencyVerdict.Waiting, first), index.Judge(after));
        Assert.Equal([after], index.End(first, JobState.Succeeded));
        Assert.Equal((DependencyVerdict.Waiting, second), index.Judge(after));
        index.Remove(after);

        Assert.Empty(index.End(second, JobState.Failed));
        Assert.Empty(index.All);
    }

    private static JobDependency On(Interfaces.JobId job) => new(job, DependencyCondition.AfterOk);

    private static WaitingEntry Entry(int number, int priority, Shape shape) =>
        new(Given.Job(number), shape, priority, itemCount: 1, submitOrder: number, DateTimeOffset.UnixEpoch);

    private static JobSpec Spec(int number) =>
        new(
            Given.Job(number),
            Interfaces.TenantId.Default,
            JobKind.Noop,
            Model: null,
            Generation: null,
            Priority: 0,
            ItemCount: 1,
            TraceParent: null,
            JobRules.Default
        );
}
