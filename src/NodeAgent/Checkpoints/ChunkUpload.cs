using System.Threading.Channels;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>Sends what the store lacks of a state. While one batch is stored the next is on its way, and the one after hashed.</summary>
internal static class ChunkUpload
{
    /// <summary>One is stored while the next one is on its way.</summary>
    private const int BatchesOnTheirWay = 2;

    /// <returns>Bytes of the chunks that were sent.</returns>
    public static async Task<long> SendAsync(
        CheckpointHttp http,
        string id,
        ChunkPlan plan,
        CancellationToken cancellationToken
    )
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var batches = Channel.CreateBounded<IReadOnlyList<PlannedChunk>>(BatchesOnTheirWay);
        // Not on the caller's thread: it hashes.
        var asking = Task.Run(() => AskAsync(http, id, plan, batches.Writer, stop.Token), CancellationToken.None);
        var sent = 0L;
        try
        {
            await Parallel.ForEachAsync(
                batches.Reader.ReadAllAsync(stop.Token),
                new ParallelOptions { MaxDegreeOfParallelism = BatchesOnTheirWay, CancellationToken = stop.Token },
                async (batch, token) =>
                {
                    using var content = new ChunkBatchContent(batch);
                    await http.StoreAsync(id, content, token);
                    Interlocked.Add(ref sent, content.ChunkBytes);
                }
            );
        }
        finally
        {
            await stop.CancelAsync();
            await asking;
        }
        return sent;
    }

    /// <summary>Never throws: how it ended is told to who takes the batches.</summary>
    private static async Task AskAsync(
        CheckpointHttp http,
        string id,
        ChunkPlan plan,
        ChannelWriter<IReadOnlyList<PlannedChunk>> batches,
        CancellationToken cancellationToken
    )
    {
        try
        {
            foreach (var window in plan.Windows())
            {
                ChunkHash[] hashes = [.. window.Select(chunk => chunk.Hash)];
                var missing = (await http.AnnounceAsync(id, hashes, cancellationToken)).ToHashSet();
                foreach (var batch in ChunkPlan.Batches(window.Where(chunk => missing.Contains(chunk.Hash))))
                    await batches.WriteAsync(batch, cancellationToken);
            }
            batches.Complete();
        }
        catch (Exception e) when (batches.TryComplete(e))
        {
            // Told.
        }
    }
}
