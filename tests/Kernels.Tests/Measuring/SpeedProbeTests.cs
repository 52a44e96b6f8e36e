using EgpuFleet.Kernels.Measuring;
using EgpuFleet.Kernels.Tests.Tinygrad;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Measuring;

/// <summary>Real engines time real shapes; that the times make sense, not how short they are.</summary>
public sealed class SpeedProbeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(WeightKind.Q4)]
    [InlineData(WeightKind.Q8)]
    [InlineData(WeightKind.F16)]
    public async Task Llama_cpp_is_measured(WeightKind kind)
    {
        var samples = await MeasureAsync(WorkerProcess.LlamaCpp, ProbeShape.Quick(kind));

        var speed = DeviceSpeed.Of(samples);

        // One block against four of the same: whatever the machine, four cost more.
        Assert.True(samples[1].PromptSeconds > samples[0].PromptSeconds);
        Assert.True(speed.SecondsPerFlop + speed.PromptBlockSeconds > 0);
        Assert.True(speed.SecondsPerByte + speed.BlockSeconds > 0);
        Assert.True(speed.BatchGain >= 1);
        Assert.True(speed.LoadSecondsPerByte > 0);
    }

    [Fact]
    public async Task Tinygrad_is_measured()
    {
        TinygradWorker.Require();

        await MeasureAsync(TinygradWorker.Name, [ProbeShape.Quick(WeightKind.Q4)[0]]);
    }

    private static async Task<List<SpeedSample>> MeasureAsync(string executable, IReadOnlyList<ProbeShape> shapes)
    {
        await using var process = WorkerProcess.Start(worker: executable);
        await using var client = await process.ConnectAsync(Token);
        var folder = Directory.CreateTempSubdirectory("efp");
        try
        {
            var probe = new SpeedProbe(client, folder.FullName, threads: 1, TimeProvider.System);
            var samples = new List<SpeedSample>();
            foreach (var shape in shapes)
                samples.Add(await probe.MeasureAsync(shape, Token));

            Assert.All(samples, sample => Assert.True(sample.TokenSeconds > 0 && sample.PromptSeconds > 0));
            Assert.Empty(folder.GetFiles());
            Assert.Empty((await client.StatsAsync(Token)).Models);
            return samples;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
