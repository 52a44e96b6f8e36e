using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Tests.Models;
using EgpuFleet.Kernels.Tests.Worker;
using EgpuFleet.Kernels.Training;

namespace EgpuFleet.Torch.Tests.Sessions;

/// <summary>What a session refuses, by which class, and that it goes on afterwards.</summary>
public sealed class RefusalTests(TorchWorker worker) : IClassFixture<TorchWorker>, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("eft");
    private readonly TemporaryModel model = new(new SyntheticModel(new SyntheticShape("llama") { Layers = 1 }));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string At(string name) => Path.Combine(folder.FullName, name);

    [Fact]
    public async Task Batches_and_rates_that_mean_nothing_leave_the_session_as_it_was()
    {
        await using var session = await worker.Client.OpenTrainingAsync(Batches.Spec(model.Path, model.Hash), Token);
        var good = Batches.Random(1, ByteVocabulary.Size);
        TrainBatch[] bad =
        [
            good with
            {
                Rows = 3,
            },
            good with
            {
                Inputs = [.. good.Inputs.Select(_ => ByteVocabulary.Size)],
            },
            good with
            {
                Targets = [.. good.Targets.Select(_ => -1)],
            },
            new TrainBatch(8, 8, new int[64], new int[64], new int[64]),
        ];
        foreach (var batch in bad)
            await RefusedAsync(EngineErrorClass.InvalidRequest, () => session.StepAsync(batch, 1e-3, Token));
        await RefusedAsync(EngineErrorClass.InvalidRequest, () => session.StepAsync(good, double.NaN, Token));
        await RefusedAsync(EngineErrorClass.InvalidRequest, () => session.SaveAsync("state", false, Token));
        await RefusedAsync(EngineErrorClass.FileFailed, () => session.SaveAsync(At("no/state"), false, Token));
        await RefusedAsync(EngineErrorClass.FileFailed, () => session.RestoreAsync(At("nothing"), Token));
        Assert.Equal(1, (await session.StepAsync(good, 1e-3, Token)).Step);
    }

    [Fact]
    public async Task A_state_that_is_not_this_sessions_changes_nothing()
    {
        var spec = Batches.Spec(model.Path, model.Hash, TrainMethod.Lora);
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        var batch = Batches.Random(1, ByteVocabulary.Size);
        await session.StepAsync(batch, 1e-3, Token);
        await session.SaveAsync(At("good"), weightsOnly: false, Token);
        Rewrite("other_base", metadata: ("base_sha256", new string('b', 64)));
        Rewrite("other_method", metadata: ("method", "full"));
        Rewrite("no_step", metadata: ("step", "some"));
        Rewrite("less", without: "blk.0.attn_q.lora_a");
        Rewrite("moments_missing", without: "adam.m.blk.0.attn_q.lora_a");
        Rewrite("no_number", spoilt: true);
        await File.WriteAllBytesAsync(At("cut"), (await File.ReadAllBytesAsync(At("good"), Token))[..^8], Token);
        var before = await session.EvaluateAsync(batch, Token);
        foreach (
            var name in (string[])
                ["other_base", "other_method", "no_step", "less", "moments_missing", "no_number", "cut"]
        )
            await RefusedAsync(EngineErrorClass.InvalidRequest, () => session.RestoreAsync(At(name), Token));
        Assert.Equal(before, await session.EvaluateAsync(batch, Token));
        await session.RestoreAsync(At("good"), Token);
        Assert.Equal(2, (await session.StepAsync(batch, 1e-3, Token)).Step);
    }

    [Fact]
    public async Task Weights_alone_are_a_state_too_and_leave_the_moments()
    {
        var spec = Batches.Spec(model.Path, model.Hash, TrainMethod.Lora) with
        {
            Adapter = Batches.Adapter with { FrozenA = true },
        };
        await using var session = await worker.Client.OpenTrainingAsync(spec, Token);
        Assert.All(session.Info.Tensors, tensor => Assert.EndsWith(".lora_b", tensor.Name, StringComparison.Ordinal));
        Assert.Equal(AdapterTargets.All.Count, session.Info.Tensors.Count);
        await session.StepAsync(Batches.Random(1, ByteVocabulary.Size), 1e-3, Token);
        var saved = await session.SaveAsync(At("weights"), weightsOnly: true, Token);
        await session.RestoreAsync(At("weights"), Token);
        Assert.Equal(1, saved.Step);
        using var file = SafetensorsFile.Open(At("weights"));
        Assert.Equal(session.Info.Tensors.Select(tensor => tensor.Name), file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(session.Info.TrainedParameters, file.Tensors.Sum(tensor => tensor.Bytes / sizeof(float)));
    }

    [Fact]
    public async Task Models_that_would_be_computed_otherwise_are_refused()
    {
        using var other = new TemporaryModel(new SyntheticModel(new SyntheticShape("qwen35")));
        await RefusedAsync(
            EngineErrorClass.ModelInvalid,
            () => worker.Client.OpenTrainingAsync(Batches.Spec(other.Path, other.Hash), Token)
        );
        await File.WriteAllTextAsync(At("text"), "not a model", Token);
        await RefusedAsync(
            EngineErrorClass.ModelInvalid,
            () => worker.Client.EstimateTrainingAsync(Batches.Spec(At("text"), model.Hash), Token)
        );
        await RefusedAsync(
            EngineErrorClass.InvalidRequest,
            () => worker.Client.OpenTrainingAsync(Batches.Spec(model.Path, model.Hash) with { RowTokens = 257 }, Token)
        );
        Assert.True((await worker.Client.SelfTestAsync(Token)).Passed);
    }

    public void Dispose()
    {
        model.Dispose();
        folder.Delete(recursive: true);
    }

    private static async Task RefusedAsync(EngineErrorClass expected, Func<Task> act) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<EngineException>(act)).ErrorClass);

    private void Rewrite(
        string name,
        (string Key, string Value)? metadata = null,
        string? without = null,
        bool spoilt = false
    )
    {
        using var file = SafetensorsFile.Open(At("good"));
        var writer = new SafetensorsWriter();
        foreach (var (key, value) in file.Metadata)
            writer.AddMetadata(key, key == metadata?.Key ? metadata.Value.Value : value);
        foreach (var tensor in file.Tensors.Where(tensor => tensor.Name != without))
        {
            var values = file.ReadSingles(tensor);
            if (spoilt)
                values[^1] = float.NaN;
            writer.Add(tensor.Name, tensor.Shape, values);
        }
        writer.WriteTo(At(name));
    }
}
