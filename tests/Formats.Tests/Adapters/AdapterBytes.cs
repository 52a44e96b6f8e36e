using System.Security.Cryptography;
using EgpuFleet.Kernels.Formats.Adapters;
using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Formats.Tests.Adapters;

/// <summary>Adapters of any model as a training might have left them, their numbers from a seed. Also used by other tests.</summary>
internal static class AdapterBytes
{
    /// <summary>Beside every matrix of a block.</summary>
    public static readonly AdapterForm Form = new(Rank: 4, Alpha: 8, [.. AdapterModules.All.Select(one => one.Gguf)]);

    /// <summary>A trained state.</summary>
    /// <param name="spread">Of B's values; 0: it has learnt nothing.</param>
    public static byte[] State(AdapterBase model, float spread, int seed = 1)
    {
        // A test's numbers must be the same every time.
        var random = new Random(seed);
        var writer = new SafetensorsWriter();
        writer.AddMetadata("format", "egpufleet-train-1");
        writer.AddMetadata("base_sha256", model.Sha256);
        foreach (var (name, (inputs, outputs)) in model.Matrices)
        {
            if (name.Split('.') is not ["blk", _, var target, "weight"] || !Form.Targets.Contains(target))
                continue;
            var prefix = name[..^".weight".Length];
            writer.Add($"{prefix}.lora_a", [Form.Rank, inputs], Normals(random, Form.Rank * inputs, 0.1f));
            writer.Add($"{prefix}.lora_b", [outputs, Form.Rank], Normals(random, Form.Rank * outputs, spread));
        }
        return Written(writer.WriteTo);
    }

    /// <summary>A file for llama.cpp.</summary>
    public static byte[] Gguf(byte[] model, float spread, int seed = 1)
    {
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(model));
        return Gguf(AdapterBase.From(GgufReader.Open(new MemoryStream(model)), sha256), spread, seed);
    }

    public static byte[] Gguf(AdapterBase model, float spread, int seed = 1)
    {
        using var state = SafetensorsFile.Open(new MemoryStream(State(model, spread, seed)));
        return Written(GgufAdapter.Describe(AdapterState.Read(state, model, Form)).WriteTo);
    }

    private static byte[] Written(Action<Stream> write)
    {
        using var file = new MemoryStream();
        write(file);
        return file.ToArray();
    }

    private static float[] Normals(Random random, long count, float spread)
    {
        var values = new float[count];
        for (var i = 0; i < values.Length; i++)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            values[i] = spread * (float)(radius * Math.Cos(2 * Math.PI * random.NextDouble()));
        }
        return values;
    }
}
