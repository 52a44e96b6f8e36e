using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Silo.Training;

/// <summary>Tensors of one checkpoint on their way into memory: the bytes of one block, and the scales of its tensor.</summary>
/// <param name="name">What a tensor of the weights is called there; one that is absent is zeros.</param>
internal sealed class DeltaSource(Manifest manifest, DeltaEncoding encoding, Func<string, string> name)
{
    private readonly Dictionary<string, ManifestTensor> tensors = manifest.Tensors.ToDictionary(
        tensor => tensor.Name,
        StringComparer.Ordinal
    );

    private readonly byte[] bytes = new byte[DeltaReader.BlockValues * Width(encoding)];
    private byte[] scales = [];
    private string? scaled;

    public DeltaSource(Manifest manifest, DeltaEncoding encoding)
        : this(manifest, encoding, one => one) { }

    /// <summary>The chunks of a block and where they go: whole ones, since a block is a whole number of them.</summary>
    public IReadOnlyList<(ChunkHash Hash, Memory<byte> Target)> Wanted(Block block)
    {
        if (!tensors.TryGetValue(name(block.Tensor.Name), out var tensor))
        {
            Array.Clear(bytes);
            return [];
        }
        var wanted = new List<(ChunkHash, Memory<byte>)>();
        if (encoding == DeltaEncoding.Int8 && scaled != tensor.Name)
        {
            var scale = tensors[OuterTensors.ScaleOf(tensor.Name)];
            scales = new byte[scale.SizeBytes];
            Add(wanted, scale, 0, scale.SizeBytes, scales);
            scaled = tensor.Name;
        }
        var width = Width(encoding);
        Add(wanted, tensor, block.First * width, (long)block.Count * width, bytes);
        return wanted;
    }

    /// <summary>The values of the block that was read last.</summary>
    public void Decode(Block block, Span<float> values)
    {
        var source = bytes.AsSpan(0, block.Count * Width(encoding));
        switch (encoding)
        {
            case DeltaEncoding.F32:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(values);
                break;
            case DeltaEncoding.F16:
                DeltaCodec.DecodeHalves(source, values);
                break;
            default:
                DecodeRows(block, source, values);
                break;
        }
    }

    private void DecodeRows(Block block, ReadOnlySpan<byte> source, Span<float> values)
    {
        var rows = MemoryMarshal.Cast<byte, float>(scales);
        var columns = block.Tensor.SizeBytes / sizeof(float) / rows.Length;
        for (var done = 0; done < block.Count; )
        {
            var at = block.First + done;
            var length = (int)Math.Min(columns - (at % columns), block.Count - done);
            DeltaCodec.DecodeRow(source.Slice(done, length), rows[(int)(at / columns)], values.Slice(done, length));
            done += length;
        }
    }

    private static void Add(
        List<(ChunkHash, Memory<byte>)> wanted,
        ManifestTensor tensor,
        long start,
        long length,
        byte[] target
    )
    {
        for (var at = start; at < start + length; at += tensor.ChunkBytes)
        {
            var chunk = (int)(at / tensor.ChunkBytes);
            wanted.Add((tensor.HashOf(chunk), target.AsMemory((int)(at - start), tensor.SizeOf(chunk))));
        }
    }

    private static int Width(DeltaEncoding encoding) =>
        encoding switch
        {
            DeltaEncoding.F32 => 4,
            DeltaEncoding.F16 => 2,
            _ => 1,
        };
}
