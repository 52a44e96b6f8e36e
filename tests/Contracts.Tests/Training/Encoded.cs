using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Contracts.Tests.Training;

/// <summary>Tensors as a member writes them: a manifest, and its chunks, each once.</summary>
internal static class Encoded
{
    public static (Manifest Manifest, Chunk[] Chunks) Of(
        (string Name, long[] Shape, float[] Values)[] tensors,
        DeltaEncoding encoding
    )
    {
        var parts = tensors.SelectMany(tensor => Parts(tensor, encoding)).ToArray();
        var chunks = parts
            .SelectMany(part => part.Bytes.Chunk(OuterTensors.ChunkBytes))
            .Select(bytes => new Chunk(ChunkHash.Of(bytes), bytes))
            .DistinctBy(chunk => chunk.Hash);
        return (new Manifest([.. parts.Select(part => part.Tensor)]), [.. chunks]);
    }

    private static IEnumerable<(ManifestTensor Tensor, byte[] Bytes)> Parts(
        (string Name, long[] Shape, float[] Values) tensor,
        DeltaEncoding encoding
    )
    {
        var (name, shape, values) = tensor;
        var lost = new float[values.Length];
        switch (encoding)
        {
            case DeltaEncoding.F32:
                yield return Part(name, ElementType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());
                break;
            case DeltaEncoding.F16:
                var halves = new byte[2 * values.Length];
                DeltaCodec.EncodeHalves(values, lost, halves);
                yield return Part(name, ElementType.F16, shape, halves);
                break;
            default:
                var rows = shape.Length > 1 ? (int)shape[0] : 1;
                var (columns, bytes, scales) = (values.Length / rows, new byte[values.Length], new float[rows]);
                for (var row = 0; row < rows; row++)
                {
                    var range = (row * columns)..((row + 1) * columns);
                    scales[row] = DeltaCodec.EncodeRow(values.AsSpan(range), lost.AsSpan(range), bytes.AsSpan(range));
                }
                var scaleBytes = MemoryMarshal.AsBytes<float>(scales).ToArray();
                yield return Part(OuterTensors.ScaleOf(name), ElementType.F32, [rows], scaleBytes);
                yield return Part(name, ElementType.U8, shape, bytes);
                break;
        }
    }

    private static (ManifestTensor, byte[]) Part(string name, ElementType type, long[] shape, byte[] bytes) =>
        (
            new ManifestTensor(
                name,
                type,
                shape,
                bytes.Length,
                OuterTensors.ChunkBytes,
                ChunkHash.WriteAll([.. bytes.Chunk(OuterTensors.ChunkBytes).Select(chunk => ChunkHash.Of(chunk))])
            ),
            bytes
        );
}
