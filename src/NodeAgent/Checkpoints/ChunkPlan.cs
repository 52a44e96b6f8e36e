using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>A chunk of a state, and where its bytes lie.</summary>
internal readonly record struct PlannedChunk(ChunkHash Hash, ReadOnlyMemory<byte> Data);

/// <summary>
/// A state cut into chunks. They are hashed a window at a time, in the order of the state; once all are, there is a
/// manifest. Each distinct chunk belongs to the window in which it occurs first. Not for several threads at once.
/// </summary>
internal sealed class ChunkPlan
{
    private readonly TrainingState state;
    private readonly int chunkBytes;
    private readonly (int Tensor, ReadOnlyMemory<byte> Data)[] pieces;
    private readonly ChunkHash[] hashes;
    private readonly List<PlannedChunk[]> windows = [];
    private readonly HashSet<ChunkHash> seen = [];

    public ChunkPlan(TrainingState state, int chunkBytes)
    {
        (this.state, this.chunkBytes) = (state, chunkBytes);
        pieces =
        [
            .. state.Tensors.SelectMany(
                (buffer, tensor) =>
                    Enumerable
                        .Range(0, (int)((buffer.Data.Length + (long)chunkBytes - 1) / chunkBytes))
                        .Select(nth => (tensor, Slice(buffer.Data, nth, chunkBytes)))
            ),
        ];
        hashes = new ChunkHash[pieces.Length];
    }

    /// <summary>A window is hashed when its turn comes, and known the next time.</summary>
    public IEnumerable<IReadOnlyList<PlannedChunk>> Windows()
    {
        for (var window = 0; window * Limits.CheckpointChunksPerQuestion < pieces.Length; window++)
        {
            if (window == windows.Count)
                windows.Add(Hash(window * Limits.CheckpointChunksPerQuestion));
            yield return windows[window];
        }
    }

    /// <summary>After all windows.</summary>
    public Manifest Manifest()
    {
        var ofTensor = pieces.Index().ToLookup(piece => piece.Item.Tensor, piece => hashes[piece.Index]);
        return new Manifest([
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
        };
    }

    /// <summary>Chunks in the order of their hashes, in batches that a request may have.</summary>
    public static IEnumerable<IReadOnlyList<PlannedChunk>> Batches(IEnumerable<PlannedChunk> chunks)
    {
        var batch = new List<PlannedChunk>();
        var length = 0;
        foreach (var chunk in chunks.OrderBy(chunk => chunk.Hash))
        {
            var frame = CheckpointLimits.FrameBytes + chunk.Data.Length;
            if (length + frame > CheckpointLimits.BatchBytes || batch.Count == CheckpointLimits.ChunksPerBatch)
            {
                yield return batch;
                (batch, length) = ([], 0);
            }
            batch.Add(chunk);
            length += frame;
        }
        if (batch.Count > 0)
            yield return batch;
    }

    private PlannedChunk[] Hash(int from)
    {
        var to = Math.Min(from + Limits.CheckpointChunksPerQuestion, pieces.Length);
        Parallel.For(
            from,
            to,
            new ParallelOptions { MaxDegreeOfParallelism = Limits.HashingThreads },
            i => hashes[i] = ChunkHash.Of(pieces[i].Data.Span)
        );
        return
        [
            .. Enumerable
                .Range(from, to - from)
                .Where(i => seen.Add(hashes[i]))
                .Select(i => new PlannedChunk(hashes[i], pieces[i].Data)),
        ];
    }

    private static ReadOnlyMemory<byte> Slice(ReadOnlyMemory<byte> data, int nth, int chunkBytes)
    {
        var start = (int)((long)nth * chunkBytes);
        return data.Slice(start, Math.Min(chunkBytes, data.Length - start));
    }
}
