using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Measuring;

/// <summary>A real worker measured while it is idle; the time it has been idle is the test's.</summary>
public sealed class IdleMeasuringTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_idle_device_is_measured_once_and_keeps_nothing_loaded()
    {
        await using var rig = await DeviceRig.StartAsync();
        var (measuring, time) = rig.Measuring();

        var running = measuring.RunAsync(Token);
        time.Advance(Limits.MeasureAfterIdle);
        await running.WaitAsync(Token);

        var measured = rig.Device.Status().Speeds!;
        Assert.Equal([0, 1, 2], measured.Select(speed => (int)speed.Kind));
        Assert.Empty((await rig.Device.Supervisor.Worker!.Client.StatsAsync(Token)).Models);
        var (second, later) = rig.Measuring();
        var again = second.RunAsync(Token);
        later.Advance(Limits.MeasureAfterIdle);
        await again.WaitAsync(Token);
    }

    [Fact]
    public async Task A_device_without_room_for_the_shapes_is_left_unmeasured()
    {
        await using var rig = await DeviceRig.StartAsync(memoryBytes: 1L << 20);
        var (measuring, time) = rig.Measuring();

        var running = measuring.RunAsync(Token);
        time.Advance(Limits.MeasureAfterIdle);
        await running.WaitAsync(Token);

        Assert.Empty(rig.Device.Status().Speeds!);
    }
}
