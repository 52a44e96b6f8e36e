using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>Jobs that ask for a kind of device, through the scheduler and over a change of the leader.</summary>
public sealed class DeviceChoiceTests
{
    private static readonly JobRules NeedsGpu = JobRules.Default with { Devices = new(DeviceClass.Gpu, null) };
    private static readonly JobRules LikesGpu = JobRules.Default with { Devices = new(null, DeviceClass.Gpu) };

    [Fact]
    public async Task It_waits_while_others_pass_and_still_does_under_a_new_leader()
    {
        var cpu = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(cpu);
        var waits = await rig.SubmitAsync(1, rules: NeedsGpu);
        var passes = await rig.SubmitAsync(1);
        var work = await cpu.NextAsync();
        Assert.Equal(passes, work.Lease.Shard.Job);
        await cpu.FinishAsync(rig, work);
        await rig.UntilSucceededAsync(passes);

        await rig.ReplaceLeaderAsync();
        await rig.HearAllAsync();
        var next = await rig.SubmitAsync(1);
        Assert.Equal(next, (await cpu.NextAsync()).Lease.Shard.Job);
        var why = Assert.Single(await rig.Loop.ExplainWaitingAsync([waits]));
        Assert.Equal(RefusalCode.NoMatchingDevice, why.Value.Code);

        var gpu = new FakeAgent("b") { Kind = DeviceKind.ExternalGpu };
        rig.Join(gpu);
        await gpu.HeartbeatAsync(rig);
        var late = await gpu.NextAsync();
        Assert.Equal(waits, late.Lease.Shard.Job);
        Assert.Null(await NoteAsync(rig, waits));
    }

    [Fact]
    public async Task A_fallback_is_in_its_log()
    {
        var cpu = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(cpu);

        var job = await rig.SubmitAsync(1, rules: LikesGpu);

        await cpu.NextAsync();
        Assert.Equal("none of the kind preferred is in the fleet", await NoteAsync(rig, job));
    }

    private static async Task<string?> NoteAsync(Rig rig, JobId job) =>
        (await rig.EventsAsync(job)).Single(e => e.Kind == JobEventKind.ShardStarted).Message;
}
