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
    public Task Llama_cpp_is_measured(WeightKind kind) => MeasureAsync(WorkerProcess.LlamaCpp, kind);

    [Fact]
    public Task Tinygrad_is_measured()
    {
        TinygradWorker.Require();
        return MeasureAsync(TinygradWorker.Name, WeightKind.Q8);
    }

    private static async Task MeasureAsync(string executable, WeightKind kind)
    {
        await using var process = WorkerProcess.Start(worker: executable);
        await using var client = await process.ConnectAsync(Token);
        var folder = Directory.CreateTempSubdirectory("efp");
        try
        {
            var probe = new SpeedProbe(client, folder.FullName, threads: 1, TimeProvider.System);
            var samples = new List<SpeedSample>();
            foreach (var shape in ProbeShape.Quick(kind))
                samples.Add(await probe.MeasureAsync(shape, Token));
            foreach (var sample in samples)
                TestContext.Current.SendDiagnosticMessage("{0}", sample);

            var speed = DeviceSpeed.Of(samples);
            TestContext.Current.SendDiagnosticMessage("{0}", speed);

            Assert.Empty(folder.GetFiles());
            Assert.Empty((await client.StatsAsync(Token)).Models);
            Assert.All(samples, sample => Assert.True(sample.TokenSeconds > 0 && sample.PromptSeconds > 0));
            // A prompt of 256 tokens and four blocks costs more than one of one block, and so does each byte and each sum.
            Assert.True(samples[1].PromptSeconds > samples[0].PromptSeconds);
            Assert.True(speed.SecondsPerFlop > 0);
            Assert.True(speed.SecondsPerByte + speed.BlockSeconds > 0);
            Assert.True(speed.BatchGain >= 1);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
