using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// Writes the differences of one member, round after round. It keeps what the encoding loses of each value and adds it to
/// the next difference, so that over the rounds nothing is lost.
/// </summary>
public sealed class DeltaEncoder(DeltaEncoding encoding)
{
    private readonly Dictionary<string, float[]> lost = new(StringComparer.Ordinal);

    public DeltaEncoding Encoding { get; } = encoding;

    /// <summary>The tensors of base - theirs, of one tensor of the weights.</summary>
    /// <param name="base">Row-major values that the round started from.</param>
    /// <param name="theirs">The same after training; as many.</param>
    public IReadOnlyList<NamedBuffer> Encode(
        string name,
        IReadOnlyList<long> shape,
        ReadOnlySpan<float> @base,
        ReadOnlySpan<float> theirs
    )
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (@base.Length != theirs.Length)
            throw new ArgumentException(
                $"{name} has {@base.Length} values before and {theirs.Length} after.",
                nameof(theirs)
            );
        var delta = new float[@base.Length];
        for (var i = 0; i < delta.Length; i++)
            delta[i] = @base[i] - theirs[i];
        if (!lost.TryGetValue(name, out var rest))
            lost.Add(name, rest = new float[delta.Length]);
        switch (Encoding)
        {
            case DeltaEncoding.F32:
                return [new(name, ElementType.F32, shape, MemoryMarshal.AsBytes<float>(delta).ToArray())];
            case DeltaEncoding.F16:
                var halves = new byte[2 * delta.Length];
                DeltaCodec.EncodeHalves(delta, rest, halves);
                return [new(name, ElementType.F16, shape, halves)];
            default:
                return EncodeRows(name, shape, delta, rest);
        }
    }

    private static NamedBuffer[] EncodeRows(string name, IReadOnlyList<long> shape, float[] delta, float[] rest)
    {
        var scales = new float[shape.Count > 1 ? (int)shape[0] : 1];
        var (columns, bytes) = (delta.Length / scales.Length, new byte[delta.Length]);
        for (var row = 0; row < scales.Length; row++)
        {
            var range = (row * columns)..((row + 1) * columns);
            scales[row] = DeltaCodec.EncodeRow(delta.AsSpan(range), rest.AsSpan(range), bytes.AsSpan(range));
        }
        return
        [
            new(
                OuterTensors.ScaleOf(name),
                ElementType.F32,
                [scales.Length],
                MemoryMarshal.AsBytes<float>(scales).ToArray()
            ),
            new(name, ElementType.U8, shape, bytes),
        ];
    }
}
