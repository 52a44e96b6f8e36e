using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>Reads the bytes of a checkpoint into their places, and compares each chunk with its hash.</summary>
internal static class CheckpointReader
{
    private const string Damaged = "checkpoint_damaged";

    /// <exception cref="CheckpointException"><c>checkpoint_damaged</c>: it is not what the manifest says.</exception>
    public static async Task ReadAsync(
        Stream body,
        Manifest manifest,
        Func<ManifestTensor, Memory<byte>> place,
        CancellationToken cancellationToken
    )
    {
        if (ManifestRules.Fault(manifest) is { } fault)
            throw new CheckpointException(Damaged, $"The manifest is not valid: {fault}.");
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A chunk is hashed while the next one arrives.
        var last = Task.CompletedTask;
        foreach (var tensor in manifest.Tensors)
        {
            var memory = place(tensor);
            if (memory.Length != tensor.SizeBytes)
                throw new ArgumentException(
                    $"{tensor.Name} has {tensor.SizeBytes} bytes, not {memory.Length}.",
                    nameof(place)
                );
            for (var i = 0; i < tensor.ChunkCount; i++)
            {
                var chunk = memory.Slice(i * tensor.ChunkBytes, tensor.SizeOf(i));
                idle.CancelAfter(Limits.DownloadIdleTimeout);
                var nth = i;
                try
                {
                    await ReadAsync(body, chunk, idle, cancellationToken);
                }
                finally
                {
                    await last;
                }
                last = Task.Run(() => Compare(chunk.Span, tensor, nth), CancellationToken.None);
            }
        }
        await last;
    }

    private static void Compare(ReadOnlySpan<byte> chunk, ManifestTensor tensor, int nth)
    {
        if (ChunkHash.Of(chunk) != tensor.HashOf(nth))
            throw new CheckpointException(Damaged, $"Chunk {nth} of {tensor.Name} does not have its hash.");
    }

    private static async Task ReadAsync(
        Stream body,
        Memory<byte> chunk,
        CancellationTokenSource idle,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await body.ReadExactlyAsync(chunk, idle.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"Nothing came for {Limits.DownloadIdleTimeout.TotalSeconds:0} s.", e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            // The store ends the answer where a chunk is not there; whether it is, it is asked next.
            throw new CheckpointException(Damaged, $"The checkpoint breaks off: {e.Message}");
        }
    }
}
