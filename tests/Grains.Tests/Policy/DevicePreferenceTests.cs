using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Scheduling.Policy;

namespace EgpuFleet.Grains.Tests.Policy;

/// <summary>On what kind of device a job runs: what it requires is kept, what it prefers is followed or its breach told.</summary>
public sealed class DevicePreferenceTests
{
    private static readonly DeviceSlot Cpu = Given.Device("a", tokensPerSecond: 90, loaded: ["sha-small"]);
    private static readonly DeviceSlot External = Given.Device("b") with { Kind = DeviceKind.ExternalGpu };
    private static readonly DeviceChoice NeedsGpu = new(DeviceClass.Gpu, null);
    private static readonly DeviceChoice LikesExternal = new(null, DeviceClass.ExternalGpu);

    [Fact]
    public void What_is_required_is_waited_for()
    {
        var job = Given.Waiting(1) with { Devices = NeedsGpu };
        Assert.Equal(External.Id, Assert.Single(Plan([Cpu, External], job)).Device);

        var alone = Given.Snapshot([Cpu, External with { Leased = true }], job);
        Assert.Empty(Planner.Plan(alone).Placements);
        Assert.Equal(RefusalCode.WaitingForPriority, Feasibility.Explain(job, alone).Code);

        var without = Feasibility.Explain(job, Given.Snapshot([Cpu, External with { Ready = false }], job));
        Assert.Equal(RefusalCode.NoMatchingDevice, without.Code);
        Assert.Contains("required", without.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_that_waits_for_another_kind_keeps_no_device_from_the_next()
    {
        var placement = Assert.Single(Plan([Cpu], Given.Waiting(1) with { Devices = NeedsGpu }, Given.Waiting(2)));

        Assert.Equal((Given.Job(2), Cpu.Id), (placement.Shard.Job, placement.Device));
    }

    [Fact]
    public void The_sizes_of_shards_count_only_devices_that_the_job_may_use()
    {
        var job = Given.Waiting(1, items: 200) with { Devices = NeedsGpu };

        Assert.Equal(100, Assert.Single(Plan([Cpu, External], job)).ItemCount);
    }

    [Fact]
    public void The_kind_preferred_comes_before_a_loaded_model_and_a_higher_rate()
    {
        var job = Given.Waiting(1, items: 200) with { Devices = LikesExternal };

        var placements = Plan([Cpu, External], job);

        Assert.Equal([External.Id, Cpu.Id], placements.Select(placement => placement.Device));
        Assert.Equal([null, "those of the kind preferred are busy"], placements.Select(one => one.Fallback));
    }

    [Fact]
    public void A_preference_that_is_not_met_is_told_with_its_reason()
    {
        var job = Given.Waiting(1) with { Devices = LikesExternal };
        var small = External with { MemoryBytes = 1 };

        Assert.Equal("none of the kind preferred is in the fleet", Fallback(Cpu));
        Assert.Equal("none of the kind preferred is ready", Fallback(Cpu, External with { Ready = false }));
        Assert.Equal("those of the kind preferred are busy", Fallback(Cpu, External with { Leased = true }));
        Assert.Equal("the model does not fit those of the kind preferred now", Fallback(Cpu, small));

        string? Fallback(params DeviceSlot[] devices) => Assert.Single(Plan(devices, job)).Fallback;
    }

    [Fact]
    public void A_shard_that_is_leased_again_is_told_too()
    {
        var job = Given.Waiting(1, requeued: [Given.Requeued(1, 0, 0, 100)], nextItem: 100) with
        {
            Devices = LikesExternal,
        };

        Assert.NotNull(Assert.Single(Plan([Cpu], job)).Fallback);
        Assert.Null(Assert.Single(Plan([External], job)).Fallback);
    }

    private static ImmutableArray<Placement> Plan(DeviceSlot[] devices, params WaitingJob[] queue) =>
        Planner.Plan(Given.Snapshot(devices, queue)).Placements;
}
