using EgpuFleet.NodeAgent.Tests.Support;
using Microsoft.Extensions.Time.Testing;

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
        await PassTimeAsync(time, running);

        var measured = rig.Device.Status().Speeds!;
        Assert.Equal([0, 1, 2], measured.Select(speed => (int)speed.Kind));
        Assert.Empty((await rig.Device.Supervisor.Worker!.Client.StatsAsync(Token)).Models);
        var (second, later) = rig.Measuring();
        var again = second.RunAsync(Token);
        await PassTimeAsync(later, again);
    }

    [Fact]
    public async Task A_device_without_room_for_the_shapes_is_left_unmeasured()
    {
        await using var rig = await DeviceRig.StartAsync(memoryBytes: 1L << 20);
        var (measuring, time) = rig.Measuring();

        var running = measuring.RunAsync(Token);
        await PassTimeAsync(time, running);

        Assert.Empty(rig.Device.Status().Speeds!);
    }

    /// <summary>Idle times follow each other until all is measured: in one of them the device may not have been free.</summary>
    private static async Task PassTimeAsync(FakeTimeProvider time, Task running)
    {
        while (!running.IsCompleted)
        {
            time.Advance(Limits.MeasureAfterIdle);
            await Task.WhenAny(running, Task.Delay(TimeSpan.FromMilliseconds(50), Token));
        }
        await running;
    }
}
