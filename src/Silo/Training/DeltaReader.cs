using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Silo.Training;

/// <summary>Reads values of tensors out of their chunks, a bounded block at a time, and compares each chunk with its hash.</summary>
internal sealed class DeltaReader(ICheckpointStore store)
{
    /// <summary>Values of a block: a whole number of chunks in every encoding.</summary>
    public const int BlockValues = OuterTensors.ChunkBytes;

    /// <summary>The norm of a difference; not finite when a value is not; null when it is damaged.</summary>
    public async Task<double?> NormAsync(Manifest weights, DeltaSource delta, CancellationToken cancellationToken)
    {
        var norm = new DeltaNorm();
        var values = new float[BlockValues];
        try
        {
            foreach (var block in Blocks(weights))
            {
                await ReadAsync([delta], block, cancellationToken);
                delta.Decode(block, values.AsSpan(0, block.Count));
                norm.Add(values.AsSpan(0, block.Count));
            }
            return norm.Value;
        }
        catch (Exception e) when (e is ChunkMissingException or InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>Brings the bytes of one block of every source.</summary>
    /// <exception cref="InvalidDataException">A chunk does not have its hash.</exception>
    /// <exception cref="ChunkMissingException"></exception>
    public async Task ReadAsync(IReadOnlyList<DeltaSource> sources, Block block, CancellationToken cancellationToken)
    {
        var wanted = sources.SelectMany(source => source.Wanted(block)).ToArray();
        var nth = 0;
        await foreach (var chunk in store.ReadAsync([.. wanted.Select(one => one.Hash)], cancellationToken))
        {
            var (hash, target) = wanted[nth++];
            if (ChunkHash.Of(chunk.Span) != hash || chunk.Length != target.Length)
                throw new InvalidDataException($"Chunk {hash} does not have its hash.");
            chunk.CopyTo(target);
        }
    }

    /// <summary>All values of a set of tensors, in their order.</summary>
    public static IEnumerable<Block> Blocks(Manifest weights)
    {
        foreach (var tensor in weights.Tensors)
        {
            var values = tensor.SizeBytes / sizeof(float);
            for (var first = 0L; first < values; first += BlockValues)
                yield return new Block(tensor, first, (int)Math.Min(BlockValues, values - first));
        }
    }
}

/// <summary>Some values of a tensor.</summary>
/// <param name="First">Its place in the tensor.</param>
internal readonly record struct Block(ManifestTensor Tensor, long First, int Count);
