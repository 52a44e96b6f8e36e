using System.Runtime.InteropServices;
using EgpuFleet.Formats.Tests.Adapters;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>An adapter of a model file as a training might have left it, and the same merged into the weights.</summary>
internal sealed class TrainedAdapter : IDisposable
{
    private static int made;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efa");
    private readonly string model;
    private readonly string modelHash;

    /// <param name="spread">Of B's values; 0: an adapter that has learnt nothing.</param>
    public TrainedAdapter(string model, string modelHash, float spread, int seed = 1)
    {
        (this.model, this.modelHash) = (model, modelHash);
        using var file = File.OpenRead(model);
        var facts = AdapterBase.From(GgufReader.Open(file), modelHash);
        File.WriteAllBytes(StatePath, AdapterBytes.State(facts, spread, seed));
        File.WriteAllBytes(Path, AdapterBytes.Gguf(facts, spread, seed));
    }

    public string Path => At("adapter.gguf");

    /// <summary>Stands for the file's SHA-256: new for every file of this process.</summary>
    public string Hash { get; } = "a" + Interlocked.Increment(ref made).ToString("x63");

    private string StatePath => At("state.safetensors");

    public LoadSpec Spec(int slots = 1, bool? exact = null) =>
        new(model, Hash, Threads: 1, Slots: slots, Exact: exact, Adapter: new AdapterFile(Path, modelHash));

    /// <summary>Writes a model of F32 with W + (alpha / rank) · B · A for every W that has an adapter.</summary>
    public string Merge()
    {
        using var source = File.OpenRead(model);
        var reader = GgufReader.Open(source);
        using var state = SafetensorsFile.Open(StatePath);
        var writer = new SafetensorsWriter();
        writer.AddMetadata("base_sha256", modelHash);
        foreach (var tensor in reader.Tensors)
        {
            var values = new float[tensor.Items];
            reader.ReadTensor(tensor, 0, MemoryMarshal.AsBytes(values.AsSpan()));
            var prefix = tensor.Name[..^".weight".Length];
            if (state.Find($"{prefix}.lora_a") is { } a)
                Add(values, state.ReadSingles(state.Find($"{prefix}.lora_b")!), state.ReadSingles(a));
            writer.Add(tensor.Name, [.. tensor.Dimensions.Reverse()], values);
        }
        writer.WriteTo(At("merged.safetensors"));
        using var merged = SafetensorsFile.Open(At("merged.safetensors"));
        using var result = File.Create(At("merged.gguf"));
        RetrainedModel.Describe(reader, modelHash, merged, half: false).WriteTo(result);
        return At("merged.gguf");
    }

    public void Dispose() => folder.Delete(recursive: true);

    private string At(string name) => System.IO.Path.Combine(folder.FullName, name);

    private static void Add(float[] values, float[] b, float[] a)
    {
        var inputs = a.Length / AdapterBytes.Form.Rank;
        for (var i = 0; i < values.Length; i++)
        {
            var (row, column) = Math.DivRem(i, inputs);
            var sum = 0.0;
            for (var k = 0; k < AdapterBytes.Form.Rank; k++)
                sum += (double)b[(row * AdapterBytes.Form.Rank) + k] * a[(k * inputs) + column];
            values[i] += (float)(AdapterBytes.Form.Scale * sum);
        }
    }
}
