using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>
/// A batch of chunks as it arrives: each with its hash and its length before it, held in one borrowed buffer until it is
/// stored. Every hash is compared before anything is written.
/// </summary>
internal sealed class ChunkBatch : IDisposable
{
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(CheckpointLimits.BatchBytes);

    private ChunkBatch() { }

    public IReadOnlyList<Chunk> Chunks { get; private set; } = [];

    /// <exception cref="GatewayException">It is not a batch.</exception>
    public static async Task<ChunkBatch> ReadAsync(Stream body, CancellationToken cancellationToken)
    {
        var batch = new ChunkBatch();
        try
        {
            var length = await batch.FillAsync(body, cancellationToken);
            // Milliseconds of hashing: not on a thread that other connections wait for.
            batch.Chunks = await Task.Run(() => batch.Cut(length), cancellationToken);
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);

    private async Task<int> FillAsync(Stream body, CancellationToken cancellationToken)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        for (var length = 0; ; )
        {
            idle.CancelAfter(Limits.ChunkIdle);
            int read;
            try
            {
                read = await body.ReadAsync(buffer.AsMemory(length, CheckpointLimits.BatchBytes - length), idle.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new GatewayException(
                    HttpStatusCode.RequestTimeout,
                    "request_timeout",
                    $"Nothing came for {Limits.ChunkIdle.TotalSeconds:0} s."
                );
            }
            length += read;
            if (read == 0)
                return length;
            if (length == CheckpointLimits.BatchBytes && await body.ReadAsync(new byte[1], cancellationToken) > 0)
                throw GatewayException.TooLarge($"A batch has at most {CheckpointLimits.BatchBytes >> 20} MiB.");
        }
    }

    private List<Chunk> Cut(int length)
    {
        var chunks = new List<Chunk>();
        var seen = new HashSet<ChunkHash>();
        for (var at = 0; at < length; )
        {
            if (length - at < CheckpointLimits.FrameBytes)
                throw Malformed("it ends in the middle of a chunk's head");
            var hash = ChunkHash.Read(buffer.AsSpan(at));
            var size = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at + ChunkHash.Bytes));
            at += CheckpointLimits.FrameBytes;
            if (size is < 1 or > CheckpointLimits.ChunkBytesMax)
                throw Malformed($"a chunk has 1 to {CheckpointLimits.ChunkBytesMax} bytes, not {size}");
            if (size > length - at)
                throw Malformed("it ends in the middle of a chunk");
            var data = buffer.AsMemory(at, size);
            if (ChunkHash.Of(data.Span) != hash)
                throw Malformed($"a chunk does not have the hash {hash}");
            if (!seen.Add(hash))
                throw Malformed($"it has the chunk {hash} twice");
            if (seen.Count > CheckpointLimits.ChunksPerBatch)
                throw Malformed($"it has more than {CheckpointLimits.ChunksPerBatch} chunks");
            chunks.Add(new Chunk(hash, data));
            at += size;
        }
        return chunks;
    }

    private static GatewayException Malformed(string why) =>
        new(HttpStatusCode.UnprocessableEntity, "invalid_batch", $"This is no batch of chunks: {why}.");
}
