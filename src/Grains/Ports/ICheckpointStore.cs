using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.Grains.Ports;

/// <summary>
/// Durable training state. A checkpoint is opened, its chunks are announced and those that are missing stored, and it is
/// completed: only then does anybody see it. Each of these steps is refused (<see cref="CheckpointRefusal.Fenced"/>) once
/// the lease under which it was opened is not the current one of its shard any more, and completion cannot overlap the
/// loss of the lease. A writer that dies leaves an open checkpoint, which the collection removes after the grace period.
/// <para>Calls throw <see cref="LedgerUnavailableException"/> when the database does not answer or its disk is full.</para>
/// </summary>
public interface ICheckpointStore
{
    /// <summary>Whether a lease is the current one of its shard, and this node's.</summary>
    Task<bool> IsCurrentAsync(ShardId shard, int epoch, NodeId node, CancellationToken cancellationToken);

    /// <summary>Begins a checkpoint. An earlier open one of the same shard beyond the third newest is given up.</summary>
    Task<CheckpointOutcome<CheckpointId>> OpenAsync(CheckpointDraft draft, CancellationToken cancellationToken);

    /// <summary>
    /// Names chunks that the checkpoint will have; returns those that are not stored. The others stay stored as long as the
    /// checkpoint does.
    /// </summary>
    /// <param name="hashes">No hash twice; at most <see cref="CheckpointLimits.HashesPerAnnouncement"/>.</param>
    Task<CheckpointOutcome<IReadOnlyList<ChunkHash>>> AnnounceAsync(
        CheckpointWriter writer,
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    );

    /// <summary>Stores announced chunks in one transaction; returns how many were new. One batch of a checkpoint at a time.</summary>
    /// <param name="chunks">Of verified hashes, no hash twice. Their memory is read until the call returns.</param>
    Task<CheckpointOutcome<int>> StoreAsync(
        CheckpointWriter writer,
        IReadOnlyList<Chunk> chunks,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Stores the manifest and makes the checkpoint complete, in one transaction. The manifest must name exactly the
    /// announced chunks, and all of them must be stored, in the sizes it says.
    /// </summary>
    Task<CheckpointOutcome<CheckpointRecord>> CompleteAsync(
        CheckpointWriter writer,
        Manifest manifest,
        IReadOnlyDictionary<string, double> metrics,
        CancellationToken cancellationToken
    );

    /// <summary>A checkpoint that was completed at some time and is not yet dropped; null when there is none.</summary>
    Task<CheckpointRecord?> FindAsync(CheckpointId id, CancellationToken cancellationToken);

    /// <summary>The same, newest first.</summary>
    Task<IReadOnlyList<CheckpointRecord>> ListAsync(CheckpointPage page, CancellationToken cancellationToken);

    Task<Manifest?> ReadManifestAsync(CheckpointId id, CancellationToken cancellationToken);

    /// <summary>The newest checkpoint of a shard that is complete, and the newer ones that turned out damaged; null when there is none.</summary>
    Task<LatestCheckpoint?> FindLatestAsync(ShardId shard, CancellationToken cancellationToken);

    /// <summary>
    /// The bytes of chunks in the order asked, as they are stored: who reads them compares their hashes. Each buffer is
    /// valid until the next one is asked for.
    /// </summary>
    /// <exception cref="ChunkMissingException">One is not there.</exception>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        IReadOnlyList<ChunkHash> hashes,
        CancellationToken cancellationToken
    );

    /// <summary>
    /// Compares every chunk with its hash. A complete checkpoint with a chunk that is missing or wrong becomes damaged, and
    /// its wrong chunks are removed, so that a later writer is told to send them again; a damaged one whose chunks are
    /// right becomes complete again. Null when there is no such checkpoint.
    /// </summary>
    Task<CheckpointVerdict?> VerifyAsync(CheckpointId id, CancellationToken cancellationToken);

    /// <summary>
    /// A complete checkpoint of another job with the same content and this one as its parent: what the job begins with,
    /// and finds as its latest. The job need not exist yet. No bytes are copied, and <paramref name="from"/> is not retired
    /// as long as this one is not; a retired one can be branched from until it is dropped. Null when there is none that is
    /// complete or retired.
    /// </summary>
    Task<CheckpointRecord?> BranchAsync(CheckpointId from, ShardId to, CancellationToken cancellationToken);

    /// <summary>
    /// Retires what the rules do not keep, drops what was retired or left open longer ago than the grace period, and
    /// removes chunks that nothing refers to; in bounded transactions. Any process may call it at any time.
    /// </summary>
    Task<CollectionPass> CollectAsync(CheckpointRules rules, CancellationToken cancellationToken);
}

/// <summary>What a writer begins with: the lease it works under.</summary>
public sealed record CheckpointDraft(ShardId Shard, int Epoch, NodeId Node, long Step, CheckpointId? Parent);

/// <summary>An open checkpoint and the node that writes it.</summary>
public readonly record struct CheckpointWriter(CheckpointId Id, NodeId Node);

public readonly record struct Chunk(ChunkHash Hash, ReadOnlyMemory<byte> Data);

/// <summary>Checkpoints of one job, or of all; <paramref name="After"/> is the last id of the page before.</summary>
public sealed record CheckpointPage(JobId? Job, CheckpointId? After, int Limit);

public sealed record LatestCheckpoint(CheckpointRecord Checkpoint, IReadOnlyList<CheckpointRecord> PassedOver);

/// <summary>What became of the chunks of a checkpoint.</summary>
/// <param name="Damaged">Those that are missing or do not have their hash.</param>
public sealed record CheckpointVerdict(CheckpointRecord Checkpoint, int ChunkCount, IReadOnlyList<ChunkHash> Damaged);

/// <summary>What one pass of the collection did.</summary>
public sealed record CollectionPass(int Retired, int Dropped, int RemovedChunks, long RemovedBytes);

/// <summary>A chunk that a checkpoint refers to is not there.</summary>
public sealed class ChunkMissingException(ChunkHash hash) : Exception($"Chunk {hash} is not stored.");
