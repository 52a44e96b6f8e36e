using EgpuFleet.Kernels.Formats.Gguf;
using EgpuFleet.Kernels.Formats.Quantised;
using EgpuFleet.Kernels.Torch.Model;

namespace EgpuFleet.Kernels.Torch.Weights;

/// <summary>A GGUF file, dequantised as it is read.</summary>
internal sealed class GgufWeights : IWeightSource
{
    private readonly Stream stream;
    private readonly GgufReader reader;
    private readonly Dictionary<string, GgufTensor> tensors;

    private GgufWeights(Stream stream, GgufReader reader, LlamaConfig config)
    {
        this.stream = stream;
        this.reader = reader;
        Config = config;
        tensors = reader.Tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
    }

    public LlamaConfig Config { get; }

    public static GgufWeights Open(string path)
    {
        var file = File.OpenRead(path);
        try
        {
            var header = GgufReader.Open(file);
            var weights = new GgufWeights(file, header, GgufConfig.Read(header));
            weights.RequireComplete();
            return weights;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Read(string name, long firstRow, Span<float> values)
    {
        var tensor = tensors[name];
        var rowBytes = tensor.Bytes / (tensor.Items / tensor.Dimensions[0]);
        var bytes = new byte[values.Length / tensor.Dimensions[0] * rowBytes];
        reader.ReadTensor(tensor, firstRow * rowBytes, bytes);
        Dequantiser.Read(tensor.Type, bytes, values);
    }

    public void Dispose() => stream.Dispose();

    /// <summary>A model with a weight we know nothing of computes something else than we would.</summary>
    private void RequireComplete()
    {
        var known = WeightTable.Of(Config);
        foreach (var (name, shape) in known)
        {
            if (!tensors.TryGetValue(name, out var tensor))
                throw ModelFault.Of($"The model has no {name}.");
            if (!tensor.Dimensions.Reverse().SequenceEqual(shape))
            {
                throw ModelFault.Of(
                    $"{name} is [{string.Join(", ", tensor.Dimensions.Reverse())}], not [{string.Join(", ", shape)}]."
                );
            }
            if (!Dequantiser.Reads(tensor.Type))
            {
                throw ModelFault.Of(
                    $"{name} is {tensor.Type.Name}; this engine reads {string.Join(", ", Dequantiser.Types)}."
                );
            }
        }
        var names = known.Select(entry => entry.Name).Append(GgufConfig.Divisors).ToHashSet(StringComparer.Ordinal);
        if (tensors.Keys.FirstOrDefault(name => !names.Contains(name)) is { } other)
            throw ModelFault.Of($"The model has {other}, which this engine does not know.");
    }
}
