using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Training;
using EgpuFleet.Torch.Tests.Sessions;

namespace EgpuFleet.Torch.Tests.DataParallel;

/// <summary>Several workers that train one model against one worker that trains it alone, on the same tokens.</summary>
public sealed class DataParallelTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edp").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_member_at_rate_one_without_momentum_is_plain_training()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama") { Layers = 2 }));
        await using var workers = await Workers.StartAsync(2, Batches.Spec(model.Path, model.Hash), Token);
        TrainBatch[] batches = [.. Enumerable.Range(0, 24).Select(seed => Batches.Random(seed, ByteVocabulary.Size))];
        foreach (var batch in batches)
            await workers.Sessions[0].StepAsync(batch, 1e-3, Token);
        var members = new Members([workers.Sessions[1]], folder, new OuterRates(1, 0), DeltaEncoding.F32);
        await members.StartAsync(Token);
        foreach (var round in batches.Chunk(8))
            await members.RoundAsync([round], _ => 1e-3, Token);

        var distance = (await SaveAsync(workers.Sessions[0])).DistanceTo(await SaveAsync(workers.Sessions[1]));
        Assert.InRange(distance, 0, 1e-6);
    }

    [Fact]
    public async Task Two_synchronous_ranks_are_the_same_bit_for_bit_and_one_device_to_rounding()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama") { Layers = 2 }));
        await using var workers = await Workers.StartAsync(3, Batches.Spec(model.Path, model.Hash), Token);
        var before = await SaveAsync(workers.Sessions[0]);
        for (var step = 0; step < 8; step++)
        {
            var (first, second) = (
                Batches.Random(2 * step, ByteVocabulary.Size),
                Batches.Random((2 * step) + 1, ByteVocabulary.Size)
            );
            await SynchronousAsync([workers.Sessions[1], workers.Sessions[2]], [first, second]);
            await workers.Sessions[0].StepAsync(Both(first, second), 1e-3, Token);
        }
        var (solo, one, two) = (
            await SaveAsync(workers.Sessions[0]),
            await SaveAsync(workers.Sessions[1]),
            await SaveAsync(workers.Sessions[2])
        );

        Assert.Equal(0, one.DistanceTo(two));
        Assert.InRange(solo.DistanceTo(one), 0, 1e-5);
        Assert.True(solo.DistanceTo(before) > 1e-3, "nothing was learnt");
    }

    [Fact]
    public async Task What_two_members_send_in_a_round_of_a_hundred_steps_is_a_hundredth_of_what_ranks_send()
    {
        using var model = new TemporaryModel(new SyntheticModel(new SyntheticShape("llama") { Layers = 2 }));
        await using var workers = await Workers.StartAsync(2, Batches.Spec(model.Path, model.Hash), Token);
        var members = new Members(workers.Sessions, folder, new OuterRates(), DeltaEncoding.F16);
        await members.StartAsync(Token);
        TrainBatch[] batches = [Batches.Random(1, ByteVocabulary.Size)];
        await members.RoundAsync([batches, batches], _ => 1e-3, Token);

        // Each step of each rank: its gradients up, their sum down.
        var gradients = Path.Combine(folder, "gradients");
        await workers.Sessions[0].BackwardAsync(batches[0], gradients, Token);
        var values = WeightsFile.Read(gradients).Tensors.Sum(tensor => (long)tensor.Values.Length);
        Assert.InRange(100 * 2 * 2 * sizeof(float) * values, 100 * members.SentBytes, 200 * members.SentBytes);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Gradients of all ranks, summed in their order, taken by each.</summary>
    private async Task SynchronousAsync(IReadOnlyList<ITrainingSession> ranks, IReadOnlyList<TrainBatch> batches)
    {
        WeightsFile? sum = null;
        var tokens = 0L;
        for (var rank = 0; rank < ranks.Count; rank++)
        {
            var path = Path.Combine(folder, $"rank-{rank}");
            tokens += (await ranks[rank].BackwardAsync(batches[rank], path, Token)).TrainedTokens;
            var own = WeightsFile.Read(path);
            sum = sum is null ? own : sum.Plus(own);
        }
        var all = Path.Combine(folder, "sum");
        sum!.Write(all);
        foreach (var rank in ranks)
            await rank.UpdateAsync(all, tokens, 1e-3, Token);
    }

    private async Task<WeightsFile> SaveAsync(ITrainingSession session)
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        await session.SaveAsync(path, weightsOnly: true, Token);
        return WeightsFile.Read(path);
    }

    private static TrainBatch Both(TrainBatch first, TrainBatch second) =>
        new(
            first.Rows + second.Rows,
            first.RowTokens,
            [.. first.Inputs, .. second.Inputs],
            [.. first.Targets, .. second.Targets],
            [.. first.Segments, .. second.Segments]
        );
}
