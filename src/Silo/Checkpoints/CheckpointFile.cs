using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Kernels.Formats.Safetensors;

namespace EgpuFleet.Silo.Checkpoints;

/// <summary>
/// A checkpoint as one file of safetensors: its tensors in the order of its manifest under their names, types and shapes
/// (blobs are U8), and its metadata with <c>checkpoint</c> and, where it names none, <c>step</c> added.
/// </summary>
internal sealed class CheckpointFile
{
    private readonly ICheckpointStore store;
    private readonly ChunkHash[] hashes;
    private readonly byte[] head;

    /// <exception cref="InvalidOperationException">Its names are longer than readers of the format accept.</exception>
    public CheckpointFile(ICheckpointStore store, CheckpointRecord checkpoint, Manifest manifest)
    {
        this.store = store;
        hashes = [.. manifest.Tensors.SelectMany(tensor => ChunkHash.ReadAll(tensor.Hashes))];
        head = Head(checkpoint, manifest);
        SizeBytes = head.Length + checkpoint.SizeBytes;
    }

    public long SizeBytes { get; }

    /// <summary>Every chunk is compared with its hash before it is written.</summary>
    /// <exception cref="ChunkMissingException">One is not there, or is damaged; what was written is not the whole file.</exception>
    /// <exception cref="LedgerUnavailableException">The database does not answer.</exception>
    public async Task WriteAsync(Stream destination, CancellationToken cancellationToken)
    {
        await destination.WriteAsync(head, cancellationToken);
        var nth = 0;
        await foreach (var chunk in store.ReadAsync(hashes, cancellationToken))
        {
            var hash = hashes[nth++];
            if (ChunkHash.Of(chunk.Span) != hash)
                throw new ChunkMissingException(hash);
            await destination.WriteAsync(chunk, cancellationToken);
        }
    }

    private static byte[] Head(CheckpointRecord checkpoint, Manifest manifest)
    {
        var writer = new SafetensorsWriter();
        var metadata = new Dictionary<string, string>(manifest.Metadata, StringComparer.Ordinal)
        {
            ["checkpoint"] = checkpoint.Id.ToString(),
        };
        metadata.TryAdd("step", checkpoint.Step.ToString(System.Globalization.CultureInfo.InvariantCulture));
        foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            writer.AddMetadata(key, value);
        foreach (var tensor in manifest.Tensors)
            writer.Add(tensor.Name, TypeOf(tensor.Type), tensor.Shape);
        return writer.Head();
    }

    private static SafetensorsType TypeOf(ElementType type) =>
        SafetensorsType.Find(type.ToString())
        ?? throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type of safetensors.");
}
