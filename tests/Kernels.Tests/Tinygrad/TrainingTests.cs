using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Kernels.Tests.Tinygrad;

/// <summary>Adapters over a base of four bits, trained in real workers.</summary>
public sealed class TrainingTests : IDisposable
{
    private const int Steps = 20;
    private const double Rate = 1e-2;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("eft");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_loss_falls_and_after_a_kill_in_mid_step_the_same_bits_come_out()
    {
        TinygradWorker.Require();
        using var model = new TemporaryModel(Model());
        var losses = new List<double>();
        await using (var worker = Start())
        {
            await using var client = await worker.ConnectAsync(Token);
            await using var session = await client.OpenTrainingAsync(Spec(model), Token);
            for (var step = 1; step <= Steps; step++)
            {
                losses.Add((await session.StepAsync(Batch(step), Rate, Token)).Loss);
                if (step == Steps / 2)
                    await session.SaveAsync(At("half"), weightsOnly: false, Token);
            }
            await session.SaveAsync(At("whole"), weightsOnly: false, Token);
            var pending = session.StepAsync(Batch(1), Rate, Token);
            worker.Process.Kill();
            var lost = await Assert.ThrowsAsync<EngineException>(() => pending);
            Assert.Equal(EngineErrorClass.WorkerLost, lost.ErrorClass);
        }
        Assert.True(losses[^1] < 0.8 * losses[0], string.Join(' ', losses));

        await using var other = Start();
        await using var again = await other.ConnectAsync(Token);
        await using var restored = await again.OpenTrainingAsync(Spec(model), Token);
        await restored.RestoreAsync(At("half"), Token);
        for (var step = (Steps / 2) + 1; step <= Steps; step++)
        {
            var done = await restored.StepAsync(Batch(step), Rate, Token);
            Assert.Equal((step, losses[step - 1]), (done.Step, done.Loss));
        }
        await restored.SaveAsync(At("again"), weightsOnly: false, Token);
        Assert.Equal(
            await File.ReadAllBytesAsync(At("whole"), Token),
            await File.ReadAllBytesAsync(At("again"), Token)
        );
    }

    [Fact]
    public async Task A_session_says_what_it_is_and_a_cancelled_step_was_never_made()
    {
        TinygradWorker.Require();
        using var model = new TemporaryModel(Model());
        await using var worker = Start();
        await using var client = await worker.ConnectAsync(Token);
        var spec = Spec(model);
        var estimate = await client.EstimateTrainingAsync(spec, Token);
        Assert.Equal(
            estimate.MemoryBytes,
            estimate.BaseBytes + estimate.TrainedBytes + estimate.OptimizerBytes + estimate.ActivationBytes
        );
        var recomputing = await client.EstimateTrainingAsync(spec with { Recompute = true }, Token);
        Assert.True(recomputing.ActivationBytes < estimate.ActivationBytes);

        await using var session = await client.OpenTrainingAsync(spec, Token);
        Assert.Equal((model.Hash, "llama"), (session.Info.ContentHash, session.Info.Architecture));
        Assert.Equal("blk.0.attn_q.lora_a", session.Info.Tensors[0].Name);
        Assert.Equal([4, 64], session.Info.Tensors[0].Shape);
        var floats = session.Info.Tensors.Sum(tensor => tensor.Shape[0] * tensor.Shape[1]);
        Assert.Equal(floats, session.Info.TrainedParameters);

        var before = await session.EvaluateAsync(Batch(1), Token);
        using var cancelling = new CancellationTokenSource();
        // So many passes that the first is long over before the last.
        var pending = session.StepAsync(Batch(1, rows: 400), Rate, cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        Assert.Equal(before, await session.EvaluateAsync(Batch(1), Token));
        Assert.Equal(1, (await session.StepAsync(Batch(1), Rate, Token)).Step);
    }

    [Fact]
    public async Task What_only_another_engine_trains_is_refused_by_its_name()
    {
        TinygradWorker.Require();
        using var model = new TemporaryModel(Model());
        await using var worker = Start();
        await using var client = await worker.ConnectAsync(Token);
        var spec = Spec(model) with { Method = TrainMethod.Full, Adapter = null };

        var refused = await Assert.ThrowsAsync<EngineException>(() => client.OpenTrainingAsync(spec, Token));

        Assert.Equal(EngineErrorClass.InvalidRequest, refused.ErrorClass);
        Assert.Contains("Torch", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Delete(recursive: true);

    private static WorkerProcess Start()
    {
        return WorkerProcess.Start(
            adjust: start => start.Environment[TinygradSettings.ThreadsVariable] = "1",
            worker: TinygradWorker.Name
        );
    }

    private static SyntheticModel Model() =>
        new(new SyntheticShape("llama") { HeadWidth = 16, RotatedWidth = 16 }, WeightKind.Q4_0);

    private static TrainSpec Spec(TemporaryModel model) =>
        new(
            model.Path,
            model.Hash,
            Threads: 1,
            TrainMethod.Lora,
            new AdapterShape(Rank: 4, Alpha: 8, AdapterTargets.Usual),
            RowTokens: 16,
            RowsPerPass: 2,
            new AdamSettings(),
            Seed: 1
        );

    /// <summary>The bytes count up from another one in each batch and row: what comes next can be learnt.</summary>
    private static TrainBatch Batch(int number, int rows = 4)
    {
        const int RowTokens = 16;
        var inputs = new int[rows * RowTokens];
        for (var i = 0; i < inputs.Length; i++)
            inputs[i] = ((number * 17) + (i / RowTokens * 5) + (i % RowTokens)) % 200;
        return new TrainBatch(
            rows,
            RowTokens,
            inputs,
            [.. inputs.Select(id => (id + 1) % 200)],
            [.. inputs.Select((_, i) => i % RowTokens / 8)]
        );
    }

    private string At(string name) => Path.Combine(folder.FullName, name);
}
