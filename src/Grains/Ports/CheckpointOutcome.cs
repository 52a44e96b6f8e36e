using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.Grains.Ports;

/// <summary>Why a step of a checkpoint's writer was refused; nothing was changed.</summary>
public enum CheckpointRefusal
{
    /// <summary>The lease is not the current one of its shard, or another node's.</summary>
    Fenced,

    /// <summary>There is no such checkpoint, or it is complete, or it was given up.</summary>
    NotOpen,

    /// <summary>It would have more chunks than a checkpoint may.</summary>
    TooMany,

    /// <summary>A chunk was not announced.</summary>
    Unannounced,

    /// <summary>Announced chunks are not stored.</summary>
    Incomplete,

    /// <summary>The manifest and its chunks do not belong together.</summary>
    Invalid,
}

/// <summary>The value of a step, or why it was refused.</summary>
public readonly record struct CheckpointOutcome<T>(T? Value, CheckpointRefusal? Refusal, string Detail);

public static class CheckpointOutcome
{
    public static CheckpointOutcome<T> Of<T>(T value) => new(value, null, "");

    public static CheckpointOutcome<T> Refused<T>(CheckpointRefusal refusal, string detail) =>
        new(default, refusal, detail);
}

/// <summary>Where a checkpoint is in its life. Stored as its number: append, never renumber.</summary>
public enum CheckpointState
{
    /// <summary>Its writer is at work, or dead; nobody else sees it.</summary>
    Open = 0,
    Complete = 1,

    /// <summary>A chunk of it is missing or wrong.</summary>
    Damaged = 2,

    /// <summary>Not kept any more; readable until the grace period ends.</summary>
    Retired = 3,

    /// <summary>Its references are being removed.</summary>
    Dropped = 4,

    /// <summary>What a member of a data parallel run handed in; nobody sees it, and it goes with its round.</summary>
    Contributed = 5,
}

/// <summary>A checkpoint with its place in its line.</summary>
/// <param name="Parent">What the run went on from; it may be gone.</param>
/// <param name="Number">From 1: one more than its parent's.</param>
public sealed record CheckpointRecord(
    CheckpointId Id,
    Interfaces.ShardId Shard,
    int Epoch,
    CheckpointId? Parent,
    int Number,
    long Step,
    CheckpointState State,
    long SizeBytes,
    int ChunkCount,
    IReadOnlyDictionary<string, double> Metrics,
    DateTimeOffset CompletedAt
);
