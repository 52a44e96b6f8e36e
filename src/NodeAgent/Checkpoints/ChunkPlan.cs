using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>A state cut into chunks: its manifest, and where the bytes of each chunk lie.</summary>
internal sealed class ChunkPlan
{
    private readonly Dictionary<ChunkHash, ReadOnlyMemory<byte>> bytes;

    private ChunkPlan(Manifest manifest, Dictionary<ChunkHash, ReadOnlyMemory<byte>> bytes) =>
        (Manifest, this.bytes) = (manifest, bytes);

    public Manifest Manifest { get; }

    public IReadOnlyCollection<ChunkHash> Hashes => bytes.Keys;

    public ReadOnlyMemory<byte> this[ChunkHash hash] => bytes[hash];

    public static ChunkPlan Of(TrainingState state, int chunkBytes)
    {
        var pieces = state
            .Tensors.SelectMany(
                (buffer, tensor) =>
                    Enumerable
                        .Range(0, (int)((buffer.Data.Length + (long)chunkBytes - 1) / chunkBytes))
                        .Select(nth => (Tensor: tensor, Data: Slice(buffer.Data, nth, chunkBytes)))
            )
            .ToArray();
        var hashes = new ChunkHash[pieces.Length];
        Parallel.For(
            0,
            pieces.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Limits.HashingThreads },
            i => hashes[i] = ChunkHash.Of(pieces[i].Data.Span)
        );
        var places = new Dictionary<ChunkHash, ReadOnlyMemory<byte>>();
        foreach (var (i, piece) in pieces.Index())
            places.TryAdd(hashes[i], piece.Data);
        var ofTensor = pieces.Index().ToLookup(piece => piece.Item.Tensor, piece => hashes[piece.Index]);
        return new ChunkPlan(
            new Manifest([
                .. state.Tensors.Select(
                    (buffer, tensor) =>
                        new ManifestTensor(
                            buffer.Name,
                            buffer.Type,
                            buffer.Shape,
                            buffer.Data.Length,
                            chunkBytes,
                            ChunkHash.WriteAll([.. ofTensor[tensor]])
                        )
                ),
            ])
            {
                Metadata = state.Metadata,
            },
            places
        );
    }

    /// <summary>The chunks in the order of their hashes, in batches that a request may have.</summary>
    public IEnumerable<IReadOnlyList<ChunkHash>> Batches(IEnumerable<ChunkHash> hashes)
    {
        var batch = new List<ChunkHash>();
        var length = 0;
        foreach (var hash in hashes.Order())
        {
            var frame = CheckpointLimits.FrameBytes + bytes[hash].Length;
            if (length + frame > CheckpointLimits.BatchBytes || batch.Count == CheckpointLimits.ChunksPerBatch)
            {
                yield return batch;
                (batch, length) = ([], 0);
            }
            batch.Add(hash);
            length += frame;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    private static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> data, int nth, int chunkBytes)
    {
        var start = (int)((long)nth * chunkBytes);
        return data.Slice(start, Math.Min(chunkBytes, data.Length - start));
    }
}
