using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Torch.Tests.DataParallel;

/// <summary>What is trained, or its gradients, in memory: the tensors of a file of safetensors in its order.</summary>
internal sealed record WeightsFile(
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyList<(string Name, IReadOnlyList<long> Shape, float[] Values)> Tensors
)
{
    public static WeightsFile Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return new WeightsFile(
            file.Metadata.ToDictionary(),
            [.. file.Tensors.Select(tensor => (tensor.Name, tensor.Shape, file.ReadSingles(tensor)))]
        );
    }

    /// <summary>Without a step: whoever takes it stays where it is.</summary>
    public void Write(string path)
    {
        var writer = new SafetensorsWriter();
        foreach (var (key, value) in Metadata.Where(entry => entry.Key != "step"))
            writer.AddMetadata(key, value);
        foreach (var (name, shape, values) in Tensors)
            writer.Add(name, shape, values);
        writer.WriteTo(path);
    }

    public WeightsFile Plus(WeightsFile other) =>
        this with
        {
            Tensors =
            [
                .. Tensors.Zip(
                    other.Tensors,
                    (a, b) => (a.Name, a.Shape, a.Values.Zip(b.Values, (x, y) => x + y).ToArray())
                ),
            ],
        };

    /// <summary>The largest difference of a value.</summary>
    public double DistanceTo(WeightsFile other) =>
        Tensors
            .Zip(other.Tensors)
            .Max(pair => pair.First.Values.Zip(pair.Second.Values).Max(v => Math.Abs((double)v.First - v.Second)));
}
