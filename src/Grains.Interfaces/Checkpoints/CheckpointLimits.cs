namespace EgpuFleet.Grains.Interfaces.Checkpoints;

/// <summary>Bounds of a checkpoint, kept by who writes it and enforced by who stores it.</summary>
public static class CheckpointLimits
{
    /// <summary>Smaller chunks of a large tensor would spend more on rows than on bytes.</summary>
    public const int ChunkBytesMin = 256 << 10;

    /// <summary>What one row and one buffer hold.</summary>
    public const int ChunkBytesMax = 1 << 20;

    /// <summary>Chunks of one checkpoint: 256 GiB of the largest.</summary>
    public const int Chunks = 262_144;

    /// <summary>Tensors of one checkpoint: weights and two moments of a model with twenty thousand of them.</summary>
    public const int Tensors = 65_536;

    /// <summary>Name of a tensor.</summary>
    public const int NameLength = 256;

    /// <summary>Dimensions of a tensor.</summary>
    public const int Dimensions = 8;

    /// <summary>Metrics of a checkpoint, and the length of the name of each.</summary>
    public const int Metrics = 32;

    /// <summary>Entries of a checkpoint's metadata, and the characters of all of them: a line or two each.</summary>
    public const int MetadataEntries = 64;

    public const int MetadataCharacters = 64 << 10;

    /// <summary>Hashes in one question of what is missing: 256 KiB.</summary>
    public const int HashesPerAnnouncement = 8_192;

    /// <summary>Chunks in one batch, beside the bound of its bytes.</summary>
    public const int ChunksPerBatch = 4_096;

    /// <summary>Bytes of the chunks of one batch, which is one transaction: large enough to share its commit, small enough to hold twice.</summary>
    public const int BatchBytes = 8 << 20;

    /// <summary>Before each chunk of a batch: its hash, and its length as four bytes, little-endian.</summary>
    public const int FrameBytes = ChunkHash.Bytes + sizeof(int);
}
