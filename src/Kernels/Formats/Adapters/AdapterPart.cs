using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>A or B of one matrix: 32-bit floats, row by row.</summary>
public sealed class AdapterPart
{
    private readonly Func<float[]> values;
    private readonly Action<Stream> write;

    private AdapterPart(IReadOnlyList<long> shape, Func<float[]> values, Action<Stream> write) =>
        (Shape, this.values, this.write) = (shape, values, write);

    public IReadOnlyList<long> Shape { get; }

    /// <summary>All of it, in memory.</summary>
    public float[] Values() => values();

    /// <summary>All of it, little-endian.</summary>
    public void WriteTo(Stream stream) => write(stream);

    /// <summary>As it was trained.</summary>
    /// <exception cref="AdapterException">The tensor is not there, of another shape, or a value is no number.</exception>
    internal static AdapterPart Trained(SafetensorsFile file, string name, IReadOnlyList<long> shape)
    {
        var tensor = TrainedState.Require(file, name, shape);
        TrainedState.RequireNumbers(file, tensor);
        return new AdapterPart(shape, () => file.ReadSingles(tensor), AdapterFloats.AsIs(file, tensor));
    }

    /// <summary>An A that was not trained: as every run with this seed begins.</summary>
    internal static AdapterPart Start(long seed, string name, int rank, long inputs)
    {
        var columns = checked((int)inputs);
        return new AdapterPart([rank, inputs], Values, stream => SafetensorsWriter.WriteSingles(stream, Values()));

        float[] Values() => AdapterStart.Of(seed, name, rank, columns);
    }
}
