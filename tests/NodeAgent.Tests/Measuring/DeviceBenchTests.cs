using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.NodeAgent.Tests.Support;

namespace EgpuFleet.NodeAgent.Tests.Measuring;

/// <summary>A real worker measured at its owner's wish.</summary>
public sealed class DeviceBenchTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_shape_is_measured_or_named_with_its_reason_and_the_speeds_are_kept()
    {
        await using var rig = await DeviceRig.StartAsync();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = rig.Bench.RunAsync(stopping.Token);

        Assert.Null(rig.Device.StartBench());
        Assert.Contains("already", rig.Device.StartBench(), StringComparison.Ordinal);
        var status = await rig.UntilAsync(now => now.Bench is not { State: BenchState.Running });

        var bench = status.Bench!;
        Assert.Equal((BenchState.Done, null), (bench.State, bench.Now));
        Assert.Equal(bench.Total, bench.Samples.Length + bench.Skipped.Length);
        Assert.Equal(9, bench.Samples.Length);
        Assert.All(bench.Samples, one => Assert.True(one is { Prefill: > 0, Decode: > 0, DecodeOfEight: > 0 }));
        Assert.All(bench.Skipped, reason => Assert.Contains("it would take about", reason, StringComparison.Ordinal));
        Assert.Equal([WeightKind.Q4, WeightKind.Q8, WeightKind.F16], status.Speeds!.Select(speed => speed.Kind));
        Assert.Empty((await rig.Device.Supervisor.Worker!.Client.StatsAsync(Token)).Models);
        await stopping.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Work_that_comes_ends_it_and_work_that_is_there_keeps_it_from_beginning()
    {
        await using var rig = await DeviceRig.StartAsync();
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var running = rig.Bench.RunAsync(stopping.Token);
        Assert.Null(rig.Device.StartBench());
        await rig.UntilAsync(now => now.Bench is { Samples.Length: > 0 });

        rig.Meter.Begin();
        var status = await rig.UntilAsync(now => now.Bench is not { State: BenchState.Running });

        Assert.Equal((BenchState.Interrupted, "Work came."), (status.Bench?.State, status.Bench?.Now));
        Assert.Contains("generating", rig.Device.StartBench(), StringComparison.Ordinal);
        rig.Meter.End();
        Assert.Null(rig.Device.Shards.Start(DeviceRig.Noop(1, milliseconds: 60_000)));
        Assert.Contains("1 in all", rig.Device.StartBench(), StringComparison.Ordinal);
        await stopping.CancelAsync();
        await running;
    }
}
