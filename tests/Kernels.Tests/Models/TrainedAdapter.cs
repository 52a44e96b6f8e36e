using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Tests.Worker;

namespace EgpuFleet.Kernels.Tests.Models;

/// <summary>An adapter of a model file as a training might have left it, and the same merged into the weights.</summary>
internal sealed class TrainedAdapter : IDisposable
{
    private static int made;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("efa");
    private readonly string model;
    private readonly string modelHash;
    private readonly AdapterForm form = new(Rank: 4, Alpha: 8, [.. AdapterModules.All.Select(one => one.Gguf)]);

    /// <param name="spread">Of B's values; 0: an adapter that has learnt nothing.</param>
    public TrainedAdapter(string model, string modelHash, float spread, int seed = 1)
    {
        (this.model, this.modelHash) = (model, modelHash);
        using var file = File.OpenRead(model);
        var facts = AdapterBase.From(GgufReader.Open(file), modelHash);
        // A test's numbers must be the same every time.
        var random = new Random(seed);
        var writer = State();
        foreach (var (name, (inputs, outputs)) in facts.Matrices.Where(one => form.Targets.Contains(Target(one.Key))))
        {
            var prefix = name[..^".weight".Length];
            writer.Add($"{prefix}.lora_a", [form.Rank, inputs], Normals(random, form.Rank * inputs, 0.1f));
            writer.Add($"{prefix}.lora_b", [outputs, form.Rank], Normals(random, form.Rank * outputs, spread));
        }
        writer.WriteTo(StatePath);
        using var state = SafetensorsFile.Open(StatePath);
        using var adapter = File.Create(Path);
        GgufAdapter.Describe(AdapterState.Read(state, facts, form)).WriteTo(adapter);
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
        var writer = State();
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

    private SafetensorsWriter State()
    {
        var writer = new SafetensorsWriter();
        writer.AddMetadata("base_sha256", modelHash);
        return writer;
    }

    private void Add(float[] values, float[] b, float[] a)
    {
        var inputs = a.Length / form.Rank;
        for (var i = 0; i < values.Length; i++)
        {
            var (row, column) = Math.DivRem(i, inputs);
            var sum = 0.0;
            for (var k = 0; k < form.Rank; k++)
                sum += (double)b[(row * form.Rank) + k] * a[(k * inputs) + column];
            values[i] += (float)(form.Scale * sum);
        }
    }

    private static string Target(string name) => name.Split('.') is ["blk", _, var target, "weight"] ? target : "";

    private static float[] Normals(Random random, long count, float spread)
    {
        var values = new float[count];
        for (var i = 0; i < values.Length; i++)
            values[i] = spread * RandomMatrix.Normal(random);
        return values;
    }
}
