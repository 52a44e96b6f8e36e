using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Formats.Safetensors;
using EgpuFleet.Kernels.Formats.Training;

namespace EgpuFleet.Kernels.Formats.Adapters;

/// <summary>What must hold of a file of trained weights, whatever was trained.</summary>
internal static class TrainedState
{
    private const int PieceFloats = 1 << 16;

    /// <exception cref="AdapterException">It names another base, or none.</exception>
    public static void RequireBase(SafetensorsFile file, string sha256)
    {
        if (!file.Metadata.TryGetValue(StateNames.BaseKey, out var named))
            throw new AdapterException(AdapterFault.State, "The state does not say of which base model it is.");
        if (named != sha256)
        {
            throw new AdapterException(
                AdapterFault.OtherBase,
                $"The state is of the base model {named}, not of {sha256}."
            );
        }
    }

    /// <exception cref="AdapterException">The tensor is not there, of another shape, or not of 32-bit floats.</exception>
    public static SafetensorsTensor Require(SafetensorsFile file, string name, IReadOnlyList<long> shape)
    {
        var tensor =
            file.Find(name) ?? throw new AdapterException(AdapterFault.State, $"The state has no tensor {name}.");
        if (tensor.Type != SafetensorsType.F32 || !tensor.Shape.SequenceEqual(shape))
        {
            throw new AdapterException(
                AdapterFault.State,
                $"The tensor {name} is {tensor.Type.Name} [{string.Join(", ", tensor.Shape)}], "
                    + $"not F32 [{string.Join(", ", shape)}]."
            );
        }
        return tensor;
    }

    /// <exception cref="AdapterException">A weight is no number, or larger than <paramref name="most"/>.</exception>
    public static void RequireNumbers(SafetensorsFile file, SafetensorsTensor tensor, float most = float.MaxValue) =>
        ForPieces(
            file,
            tensor,
            piece =>
            {
                foreach (var value in piece)
                {
                    // False for what is no number, too.
                    if (!(Math.Abs(value) <= most))
                        throw new AdapterException(AdapterFault.Weight, $"A weight of {tensor.Name} is {value}.");
                }
            }
        );

    /// <exception cref="AdapterException">There is a tensor that is neither known nor a moment of the optimizer.</exception>
    public static void RequireNothingElse(SafetensorsFile file, IReadOnlySet<string> known)
    {
        var other = file.Tensors.FirstOrDefault(tensor =>
            !known.Contains(tensor.Name) && !StateNames.IsMoment(tensor.Name)
        );
        if (other is not null)
            throw new AdapterException(AdapterFault.State, $"The state has {other.Name}, which was not to be trained.");
    }

    /// <summary>The numbers of a tensor of 32-bit floats, a part at a time.</summary>
    public static void ForPieces(SafetensorsFile file, SafetensorsTensor tensor, ReadOnlySpanAction use)
    {
        var buffer = new float[Math.Min(PieceFloats, tensor.Bytes / sizeof(float))];
        for (var offset = 0L; offset < tensor.Bytes; offset += buffer.LongLength * sizeof(float))
        {
            var count = (int)Math.Min(buffer.Length, (tensor.Bytes - offset) / sizeof(float));
            var piece = buffer.AsSpan(0, count);
            file.Read(tensor, offset, MemoryMarshal.AsBytes(piece));
            use(piece);
        }
    }

    public delegate void ReadOnlySpanAction(ReadOnlySpan<float> piece);
}
