namespace EgpuFleet.Api;

/// <summary>A saved training state. State: complete, damaged, retired.</summary>
/// <param name="Number">Its place in its line, from 1.</param>
/// <param name="Parent">What the run went on from; it may be gone.</param>
/// <param name="Epoch">Of the lease under which it was written.</param>
/// <param name="SizeBytes">Of all its tensors.</param>
/// <param name="ChunkCount">Different chunks it consists of; others may share them.</param>
public sealed record CheckpointInfo(
    string Id,
    string Job,
    int Shard,
    int Epoch,
    string State,
    int Number,
    long Step,
    string? Parent,
    long SizeBytes,
    int ChunkCount,
    IReadOnlyDictionary<string, double> Metrics,
    DateTimeOffset CompletedAt
);

/// <summary>What an examination of every chunk found.</summary>
/// <param name="DamagedChunks">SHA-256 of the first of those that are missing or wrong.</param>
public sealed record CheckpointVerdictInfo(
    CheckpointInfo Checkpoint,
    bool IsIntact,
    int ChunkCount,
    int DamagedCount,
    IReadOnlyList<string> DamagedChunks
);

/// <summary>Files that a checkpoint of a fine-tuning run can be had as.</summary>
public static class CheckpointExports
{
    /// <summary>Names of the files of a format; an adapter has all three formats, a whole model is a GGUF only.</summary>
    public static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> Files = new Dictionary<
        string,
        IReadOnlyList<string>
    >(StringComparer.Ordinal)
    {
        ["peft"] = ["adapter_model.safetensors", "adapter_config.json"],
        ["mlx"] = ["adapters.safetensors", "adapter_config.json"],
        ["gguf"] = ["model.gguf"],
    };
}

/// <summary>What one pass of the collection did.</summary>
public sealed record CheckpointCollectionInfo(int Retired, int Dropped, int RemovedChunks, long RemovedBytes);
