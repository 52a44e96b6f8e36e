using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A search for faster kernels goes to a device whose engine has such, and holds up nobody else.</summary>
public sealed class TuneTests
{
    [Fact]
    public async Task It_waits_for_the_engine_that_can_and_others_pass()
    {
        var other = new FakeAgent("a");
        await using var rig = await Rig.StartAsync(other);
        var tune = await rig.SubmitTuneAsync(seconds: 30);
        var passes = await rig.SubmitAsync(1);
        Assert.Equal(passes, (await other.NextAsync()).Lease.Shard.Job);
        var why = Assert.Single(await rig.Loop.ExplainWaitingAsync([tune])).Value;
        Assert.Equal(RefusalCode.NoMatchingDevice, why.Code);
        Assert.Contains("tinygrad", why.Message, StringComparison.Ordinal);
        Assert.NotNull(why.Action);

        var able = new FakeAgent("b") { Engine = TuneParameters.Engine };
        rig.Join(able);
        await able.HeartbeatAsync(rig);
        var work = await able.NextAsync();
        Assert.Equal((tune, JobKind.Tune, 30), (work.Lease.Shard.Job, work.Kind, work.Tune?.Seconds));
        Assert.NotNull(work.Model);
        Assert.Single(work.Items);
        await able.FinishAsync(rig, work);
        await rig.UntilSucceededAsync(tune);
    }
}
