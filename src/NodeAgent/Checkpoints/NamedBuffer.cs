using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>One tensor of a training state in memory: row-major, little-endian.</summary>
public sealed record NamedBuffer(string Name, ElementType Type, IReadOnlyList<long> Shape, ReadOnlyMemory<byte> Data);

/// <summary>A training state at a step. Its tensors must not change while it is saved.</summary>
/// <param name="Step">Steps done by then.</param>
/// <param name="Parent">Checkpoint that the run went on from; null for none.</param>
public sealed record TrainingState(long Step, string? Parent, IReadOnlyList<NamedBuffer> Tensors)
{
    /// <summary>Figures of the step, such as <c>valid_loss</c>, by which the best checkpoint is kept.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>Words that go with it: the hash of the base model, the place in the data.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>The lease under which a training state is saved.</summary>
public readonly record struct TrainingLease(ShardId Shard, int Epoch);

/// <summary>What a save did.</summary>
/// <param name="SizeBytes">Of the whole state.</param>
/// <param name="SentBytes">Of the chunks that the store did not have.</param>
public sealed record SavedCheckpoint(string Id, long SizeBytes, long SentBytes);

/// <summary>A state whose chunks are stored and which nobody sees yet.</summary>
/// <param name="SentBytes">Of the chunks that the store did not have.</param>
public sealed record StagedCheckpoint(string Id, Manifest Manifest, long SentBytes);

/// <summary>A restored state.</summary>
/// <param name="PassedOver">Newer checkpoints that are damaged: steps after <paramref name="Checkpoint"/>'s are lost.</param>
public sealed record RestoredCheckpoint(
    CheckpointPart Checkpoint,
    Manifest Manifest,
    IReadOnlyList<CheckpointPart> PassedOver
);

/// <summary>The store refused a step, or what it sent is not what it was given.</summary>
/// <param name="code">Stable: <c>fenced</c>, <c>checkpoint_not_open</c>, <c>checkpoint_damaged</c>, <c>disk_full</c>, …</param>
public sealed class CheckpointException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
