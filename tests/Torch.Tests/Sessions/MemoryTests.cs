using System.Globalization;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>What a session was said to take against what its process took, as the system tells it.</summary>
public sealed class MemoryTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TrainMethod.Full, TrainPrecision.F32, false)]
    [InlineData(TrainMethod.Lora, TrainPrecision.F32, false)]
    [InlineData(TrainMethod.Lora, TrainPrecision.Bf16, true)]
    public async Task A_session_takes_no_more_than_was_said(
        TrainMethod method,
        TrainPrecision precision,
        bool recompute
    )
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only /proc tells the most memory that a process ever had");
        var shape = new SyntheticShape("llama")
        {
            Width = 256,
            Hidden = 1024,
            Layers = 6,
        };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        var spec = Batches.Spec(model.Path, model.Hash, method) with
        {
            RowTokens = 256,
            RowsPerPass = 4,
            Precision = precision,
            Recompute = recompute,
        };
        await using var worker = WorkerProcess.Start(worker: TorchWorker.Program);
        await using var client = await worker.ConnectAsync(Token);
        var estimate = await client.EstimateTrainingAsync(spec, Token);
        Assert.Equal(
            estimate.MemoryBytes,
            estimate.BaseBytes + estimate.TrainedBytes + estimate.OptimizerBytes + estimate.ActivationBytes
        );
        var before = Bytes(worker, "VmRSS");
        await using var session = await client.OpenTrainingAsync(spec, Token);
        Assert.Equal(estimate.MemoryBytes, session.Info.Estimate.MemoryBytes);
        var random = new Random(1);
        int[] ids = [.. Enumerable.Range(0, 8 * 256).Select(_ => random.Next(ByteVocabulary.Size))];
        // Two samples in each row: scores are masked, which takes the most.
        int[] segments = [.. Enumerable.Range(0, ids.Length).Select(i => i % 256 / 128)];
        await session.StepAsync(new TrainBatch(8, 256, ids, ids, segments), 1e-4, Token);
        var took = Bytes(worker, "VmHWM") - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"said {estimate.MemoryBytes >> 20} MiB, took {took >> 20} MiB"
        );
        Assert.InRange(took, 0, estimate.MemoryBytes);
        Assert.True(estimate.MemoryBytes < (3 * took) + (256L << 20), $"{estimate.MemoryBytes} for {took}");
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_before_it_is_loaded_with_what_would()
    {
        // A hundred thousand floats inside a block for each of a million positions.
        var shape = new SyntheticShape("llama") { Hidden = 32768 };
        using var model = new TemporaryModel(new SyntheticModel(shape));
        await using var worker = WorkerProcess.Start(worker: TorchWorker.Program);
        await using var client = await worker.ConnectAsync(Token);
        var spec = Batches.Spec(model.Path, model.Hash) with { RowTokens = 256, RowsPerPass = 4096 };
        var refused = await Assert.ThrowsAsync<EngineException>(() => client.OpenTrainingAsync(spec, Token));
        Assert.Equal(EngineErrorClass.OutOfMemory, refused.ErrorClass);
        Assert.True(refused.Actual > refused.Limit);
        Assert.Contains("rows_per_pass", refused.Message, StringComparison.Ordinal);
    }

    private static long Bytes(WorkerProcess worker, string field)
    {
        var line = File.ReadLines($"/proc/{worker.Process.Id}/status")
            .First(one => one.StartsWith(field, StringComparison.Ordinal));
        return long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture)
            * 1024;
    }
}
