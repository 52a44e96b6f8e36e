using System.Buffers.Binary;
using System.Net;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>A batch as a request body, written straight from the state's memory; it can be sent again.</summary>
internal sealed class ChunkBatchContent(IReadOnlyList<PlannedChunk> chunks) : HttpContent
{
    /// <summary>Of the chunks alone.</summary>
    public long ChunkBytes => chunks.Sum(chunk => (long)chunk.Data.Length);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream,
        TransportContext? context,
        CancellationToken cancellationToken
    )
    {
        var head = new byte[CheckpointLimits.FrameBytes];
        foreach (var (hash, data) in chunks)
        {
            hash.Write(head);
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(ChunkHash.Bytes), data.Length);
            await stream.WriteAsync(head, cancellationToken);
            await stream.WriteAsync(data, cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = ChunkBytes + (long)chunks.Count * CheckpointLimits.FrameBytes;
        return true;
    }
}
