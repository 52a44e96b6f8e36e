using System.Security.Cryptography;
using System.Text;
using EgpuFleet.Formats.Tests.Adapters;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Tests.Support;
using EgpuFleet.TestKit;

namespace EgpuFleet.NodeAgent.Tests.Models;

/// <summary>A base model and adapters of it on a device, with a real worker.</summary>
public sealed class AdapterTests
{
    private static readonly byte[] Model = File.ReadAllBytes(
        RepositoryPaths.At("samples", "models", "tiny-fleet.gguf")
    );

    private static readonly ModelRef Base = Ref("tiny-fleet", Model, null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Adapters_are_served_beside_their_base_in_the_memory_of_one()
    {
        byte[][] files = [Model, AdapterBytes.Gguf(Model, 0.1f), AdapterBytes.Gguf(Model, 0.1f, seed: 2)];
        var (memory, least) = MemoryOf(files);
        await using var rig = await DeviceRig.StartAsync(memory, files);
        var texts = new List<string>();
        foreach (var model in Refs(files))
            texts.Add(await TextAsync(rig, model));

        Assert.Equal(3, texts.Distinct(StringComparer.Ordinal).Count());
        var status = rig.Device.Status();
        Assert.Equal(Refs(files).Select(model => model.Sha256).Order(), status.LoadedModels.Order());
        Assert.Equal(memory, status.MemoryUsedBytes);
        Assert.True(least > memory, "Without sharing they would have needed more.");
        Assert.Equal(texts[1], await TextAsync(rig, Refs(files)[1]));
    }

    [Fact]
    public async Task The_least_recently_used_one_makes_room_for_another_adapter()
    {
        byte[][] files = [Model, AdapterBytes.Gguf(Model, 0.1f), AdapterBytes.Gguf(Model, 0.1f, seed: 2)];
        var (memory, _) = MemoryOf(files);
        await using var rig = await DeviceRig.StartAsync(memory - 1, files);
        var models = Refs(files);
        foreach (var model in models)
            await TextAsync(rig, model);
        Assert.Equal(models[1..].Select(model => model.Sha256).Order(), rig.Device.Status().LoadedModels.Order());
        Assert.InRange(rig.Device.Status().MemoryUsedBytes, 1, memory - 1);
    }

    [Fact]
    public async Task An_adapter_of_another_model_is_refused_for_good()
    {
        var other = Model.ToArray();
        other[^1] ^= 1;
        byte[][] files = [Model, AdapterBytes.Gguf(other, 0.1f)];
        await using var rig = await DeviceRig.StartAsync(1L << 30, files);
        var failure = await Assert.ThrowsAsync<GenerationException>(() => TextAsync(rig, Refs(files)[1]));
        Assert.Equal("model_invalid", failure.Code);
        Assert.Contains("another base model", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.Retryable);
        Assert.NotEmpty(await TextAsync(rig, Base));
    }

    [Fact]
    public async Task An_adapter_of_an_adapter_is_none()
    {
        byte[][] files = [Model, AdapterBytes.Gguf(Model, 0.1f)];
        await using var rig = await DeviceRig.StartAsync(1L << 30, files);
        var adapter = Refs(files)[1];
        var failure = await Assert.ThrowsAsync<GenerationException>(() =>
            TextAsync(rig, adapter with { Base = adapter })
        );
        Assert.Equal("model_invalid", failure.Code);
    }

    /// <summary>Of all together, and of all if each were alone.</summary>
    private static (long Together, long Alone) MemoryOf(byte[][] files)
    {
        using var folder = new TempFolder();
        var paths = files.Select((bytes, i) => folder.At(i.ToString())).ToList();
        for (var i = 0; i < files.Length; i++)
            File.WriteAllBytes(paths[i], files[i]);
        var known = CachedModel.Open(paths[0], Base.Sha256);
        CachedModel[] all =
        [
            known,
            .. Enumerable.Range(1, files.Length - 1).Select(i => known.With(paths[i], Refs(files)[i].Sha256)),
        ];
        return (LoadedModel.BytesOf(all), all.Sum(model => model.MemoryBytes));
    }

    private static List<ModelRef> Refs(byte[][] files) =>
        [Base, .. files.Skip(1).Select((bytes, i) => Ref($"ft:{i}", bytes, Base))];

    private static ModelRef Ref(string name, byte[] bytes, ModelRef? known) =>
        new(name, Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length, known);

    private static async Task<string> TextAsync(DeviceRig rig, ModelRef model)
    {
        var request = new GenerateRequest("request-1", model, new(24, 0, 1, 0, 1, []), "The river", null, null);
        var text = new StringBuilder();
        await foreach (var chunk in rig.Device.GenerateAsync(request, Token))
            text.Append(chunk.Text);
        return text.ToString();
    }
}
