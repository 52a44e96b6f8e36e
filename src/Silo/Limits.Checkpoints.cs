namespace EgpuFleet.Silo;

/// <summary>Bounds of the checkpoint store; those of a checkpoint itself are <see cref="Grains.Interfaces.Checkpoints.CheckpointLimits"/>.</summary>
public static partial class Limits
{
    /// <summary>Connections of the checkpoint store: some writers, some readers and the collection.</summary>
    public const int CheckpointConnectionsMax = 12;

    /// <summary>One statement of it; the longest stores a batch on a slow disk.</summary>
    public const int CheckpointCommandTimeoutSeconds = 60;

    /// <summary>Buffer of a connection towards the server: a chunk in a few calls instead of a hundred.</summary>
    public const int CheckpointBufferBytes = 128 << 10;

    /// <summary>Chunks asked for in one query; the server sends them one after the other, so nothing holds them all.</summary>
    public const int CheckpointChunksPerRead = 256;

    /// <summary>Buffers of a restore, of a mebibyte each: one is sent, one is read, and neither waits for the other's pauses.</summary>
    public const int CheckpointChunksReadAhead = 4;

    /// <summary>Chunks that one statement of an examination hashes: below a second of work.</summary>
    public const int CheckpointChunksPerExamination = 64;

    /// <summary>Checkpoints of one shard looked at: at one a minute a day's; the collection takes what is beyond it later.</summary>
    public const int CheckpointsPerShard = 1_500;

    /// <summary>Checkpoints given up in one transaction.</summary>
    public const int CheckpointsPerDrop = 100;

    /// <summary>References removed in one transaction: some ten milliseconds.</summary>
    public const int CheckpointReferencesPerDrop = 5_000;

    /// <summary>Chunks removed in one transaction, while nobody is told what is stored: some ten milliseconds.</summary>
    public const int CheckpointChunksPerRemoval = 64;

    /// <summary>Pauses between passes of the collection: what is over is kept an hour longer anyway.</summary>
    public static readonly TimeSpan CheckpointCollectionEvery = TimeSpan.FromMinutes(5);

    // The data path.

    /// <summary>Batches held at once, in 8 MiB each: more would only wait for the same disk.</summary>
    public const int ConcurrentBatches = 8;

    /// <summary>Restores at once: each holds a connection of the store; the rest of them are for writers.</summary>
    public const int ConcurrentRestores = 6;

    /// <summary>A manifest: 44 characters for each of the most chunks, and a line for each of the most tensors.</summary>
    public const long ManifestBytes = 32L << 20;

    /// <summary>Damaged chunks that an examination names: more would not be read.</summary>
    public const int DamagedChunksShown = 100;

    /// <summary>Silence in the middle of a batch after which its place is given to another.</summary>
    public static readonly TimeSpan ChunkIdle = TimeSpan.FromSeconds(30);

    // Rounds of data parallel training.

    /// <summary>Runs looked at in one pass: each is a job on several devices, of which a pool has tens.</summary>
    public const int ActiveRuns = 1_000;

    /// <summary>Rounds that a member may be silent before nobody waits for it: longer than a slow fetch of the weights.</summary>
    public const int SilentRounds = 4;

    /// <summary>How often rounds are looked at: a part of the shortest, and one small query.</summary>
    public static readonly TimeSpan RoundTick = TimeSpan.FromSeconds(1);

    /// <summary>How often one who waits for the next round looks: another silo may have closed it.</summary>
    public static readonly TimeSpan RoundPoll = TimeSpan.FromMilliseconds(250);

    /// <summary>How long one waits for the next round in one request: below every proxy's idle limit.</summary>
    public static readonly TimeSpan RoundWait = TimeSpan.FromSeconds(20);

    /// <summary>How long a silo that says nothing has reserved the closing of a round: what a killed one costs.</summary>
    public static readonly TimeSpan RoundClaim = TimeSpan.FromSeconds(6);

    /// <summary>Members that wait for a round at once, of all runs.</summary>
    public const int RoundWaiters = 500;
}
