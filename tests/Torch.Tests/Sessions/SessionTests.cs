using System.Security.Cryptography;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;
using EgpuFleet.NodeAgent.Training;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>Sessions in a worker process, through the client that agents use.</summary>
public sealed class SessionTests(TorchWorker worker) : IClassFixture<TorchWorker>, IDisposable
{
    private const double Rate = 2e-3;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("eft");
    private readonly TemporaryModel model = new(new SyntheticModel(new SyntheticShape("llama") { Layers = 2 }));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string At(string name) => Path.Combine(folder.FullName, name);

    [Theory]
    [InlineData(TrainMethod.Full, TrainPrecision.F32, false)]
    [InlineData(TrainMethod.Lora, TrainPrecision.F32, false)]
    [InlineData(TrainMethod.Lora, TrainPrecision.Bf16, true)]
    [InlineData(TrainMethod.Full, TrainPrecision.Bf16, true)]
    public async Task Learning_goes_on_in_a_new_process_as_if_nothing_had_been(
        TrainMethod method,
        TrainPrecision precision,
        bool recompute
    )
    {
        var spec = Batches.Spec(model.Path, model.Hash, method) with { Precision = precision, Recompute = recompute };
        await using (var straight = await worker.Client.OpenTrainingAsync(spec, Token))
        {
            var losses = await StepsAsync(straight, 0, 20);
            Assert.True(losses[^1] < losses[0], $"{losses[0]} to {losses[^1]}");
            await straight.SaveAsync(At("straight"), weightsOnly: false, Token);
        }
        await using (var first = await worker.Client.OpenTrainingAsync(spec, Token))
        {
            await StepsAsync(first, 0, 7);
            var saved = await first.SaveAsync(At("seven"), weightsOnly: false, Token);
            Assert.Equal((7, new FileInfo(At("seven")).Length), (saved.Step, saved.Bytes));
        }
        await using (var process = WorkerProcess.Start(worker: TorchWorker.Program))
        await using (var client = await process.ConnectAsync(Token))
        {
            var second = await client.OpenTrainingAsync(spec, Token);
            await second.RestoreAsync(At("seven"), Token);
            await StepsAsync(second, 7, 20);
            await second.SaveAsync(At("resumed"), weightsOnly: false, Token);
        }
        Assert.Equal(Hash("straight"), Hash("resumed"));
        Assert.NotEqual(Hash("seven"), Hash("resumed"));
    }

    /// <summary>Agents take it apart for the store, and put together what comes back.</summary>
    [Theory]
    [InlineData(TrainMethod.Full)]
    [InlineData(TrainMethod.Lora)]
    public async Task A_state_is_the_same_file_after_its_way_through_an_agent(TrainMethod method)
    {
        var spec = Batches.Spec(model.Path, model.Hash, method);
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        await StepsAsync(session, 0, 2);
        await session.SaveAsync(At("made"), weightsOnly: false, Token);
        var places = StateFiles.PlacesOf(spec, session.Info);
        foreach (var buffer in StateFiles.Read(At("made")))
        {
            var described = new ManifestTensor(buffer.Name, buffer.Type, buffer.Shape, buffer.Data.Length, 1 << 18, []);
            buffer.Data.CopyTo(places.Place(described));
        }
        places.Write(At("came"), step: 2);
        Assert.Equal(Hash("made"), Hash("came"));
        await session.RestoreAsync(At("came"), Token);
    }

    [Fact]
    public async Task A_step_is_its_two_halves()
    {
        var spec = Batches.Spec(model.Path, model.Hash);
        var batch = Batches.Random(3, ByteVocabulary.Size);
        await using (var whole = await worker.Client.OpenTrainingAsync(spec, Token))
        {
            await whole.StepAsync(batch, Rate, Token);
            await whole.SaveAsync(At("whole"), weightsOnly: false, Token);
        }
        await using var halves = await worker.Client.OpenTrainingAsync(spec, Token);
        var gradients = await halves.BackwardAsync(batch, At("gradients"), Token);
        Assert.Equal(batch.TrainedTokens, gradients.TrainedTokens);
        var step = await halves.UpdateAsync(At("gradients"), gradients.TrainedTokens, Rate, Token);
        Assert.Equal(1, step.Step);
        await halves.SaveAsync(At("halves"), weightsOnly: false, Token);
        Assert.Equal(Hash("whole"), Hash("halves"));
    }

    /// <summary>The mean goes over the tokens of the whole batch, however many of them each pass has.</summary>
    [Fact]
    public async Task Rows_per_pass_and_recomputing_change_nothing_but_the_last_bits()
    {
        var batch = Batches.Random(4, ByteVocabulary.Size, rows: 5);
        var spec = Batches.Spec(model.Path, model.Hash);
        TrainStep? first = null;
        foreach (
            var one in (TrainSpec[])
                [spec with { RowsPerPass = 5 }, spec with { RowsPerPass = 1 }, spec with { Recompute = true }]
        )
        {
            await using var session = await worker.Client.OpenTrainingAsync(one, Token);
            var step = await session.StepAsync(batch, Rate, Token);
            first ??= step;
            Assert.Equal(first.Loss, step.Loss, 1e-5);
            Assert.Equal(first.GradientNorm, step.GradientNorm, 1e-4 * first.GradientNorm);
        }
    }

    /// <summary>A token sees nothing of other samples of its row.</summary>
    [Fact]
    public async Task Samples_in_one_row_do_not_see_each_other()
    {
        var spec = Batches.Spec(model.Path, model.Hash);
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        var batch = Batches.Random(5, ByteVocabulary.Size);
        var before = await session.EvaluateAsync(Only(batch, segment: 1), Token);
        int[] others =
        [
            .. batch.Inputs.Select((id, i) => batch.Segments[i] == 1 ? id : (id + 1) % ByteVocabulary.Size),
        ];
        var after = await session.EvaluateAsync(Only(batch with { Inputs = others }, segment: 1), Token);
        Assert.Equal(before.LossSum, after.LossSum);
        var joined = Only(
            batch with
            {
                Inputs = others,
                Segments = new int[others.Length],
            },
            segment: 1,
            batch.Segments
        );
        Assert.NotEqual(before.LossSum, (await session.EvaluateAsync(joined, Token)).LossSum, 1e-3);
    }

    [Fact]
    public async Task A_loss_that_is_no_number_changes_nothing()
    {
        var spec = Batches.Spec(model.Path, model.Hash) with { Optimizer = new AdamSettings(ClipNorm: 0) };
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        var batch = Batches.Random(6, ByteVocabulary.Size);
        await session.StepAsync(batch, 1e30, Token);
        await session.SaveAsync(At("before"), weightsOnly: false, Token);
        var refused = await Assert.ThrowsAsync<EngineException>(() => session.StepAsync(batch, 1e30, Token));
        Assert.Equal(EngineErrorClass.NotFinite, refused.ErrorClass);
        await session.SaveAsync(At("after"), weightsOnly: false, Token);
        Assert.Equal(Hash("before"), Hash("after"));
    }

    [Fact]
    public async Task A_cancelled_step_ends_between_passes_and_changes_nothing()
    {
        var spec = Batches.Spec(model.Path, model.Hash) with { RowsPerPass = 1 };
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        await session.SaveAsync(At("before"), weightsOnly: false, Token);
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        // Far more passes than can be made before a cancel arrives.
        var batch = Batches.Random(7, ByteVocabulary.Size, rows: 4000);
        var step = session.StepAsync(batch, Rate, cancelling.Token);
        while ((await worker.Client.StatsAsync(Token)).State != Kernels.Protocol.WorkerState.Busy)
            Assert.False(step.IsCompleted);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => step);
        await session.SaveAsync(At("after"), weightsOnly: false, Token);
        Assert.Equal(Hash("before"), Hash("after"));
    }

    [Fact]
    public async Task A_session_outlives_its_connection_until_another_is_opened()
    {
        var spec = Batches.Spec(model.Path, model.Hash, TrainMethod.Lora);
        var batch = Batches.Random(8, ByteVocabulary.Size);
        await using var gone = await worker.ConnectAsync(Token);
        var left = await gone.OpenTrainingAsync(spec, Token);
        await left.StepAsync(batch, Rate, Token);
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        Assert.Equal(1, (await session.StepAsync(batch, Rate, Token)).Step);
        var again = await worker.Client.OpenTrainingAsync(spec, Token);
        var refused = await Assert.ThrowsAsync<EngineException>(() => session.StepAsync(batch, Rate, Token));
        Assert.Equal(EngineErrorClass.ModelNotLoaded, refused.ErrorClass);
        // Nothing of the old one's end touches the new one.
        await session.DisposeAsync();
        Assert.Equal(1, (await again.StepAsync(batch, Rate, Token)).Step);
    }

    public void Dispose()
    {
        model.Dispose();
        folder.Delete(recursive: true);
    }

    private static async Task<List<double>> StepsAsync(ITrainingSession session, int from, int to)
    {
        var losses = new List<double>();
        for (var step = from; step < to; step++)
        {
            // Every fourth batch again, so that there is something to learn.
            var batch = Batches.Random(step % 4, ByteVocabulary.Size, packed: step % 2 == 0);
            var made = await session.StepAsync(batch, Rate, Token);
            Assert.Equal(step + 1, made.Step);
            Assert.True(made.GradientNorm > 0);
            losses.Add(made.Loss);
        }
        return losses;
    }

    private static TrainBatch Only(TrainBatch batch, int segment, int[]? segments = null) =>
        batch with
        {
            Targets = [.. batch.Targets.Select((id, i) => (segments ?? batch.Segments)[i] == segment ? id : -1)],
        };

    private string Hash(string name)
    {
        using var file = SafetensorsFile.Open(At(name));
        Assert.Equal("egpufleet-train-1", file.Metadata["format"]);
        return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(At(name))));
    }
}
