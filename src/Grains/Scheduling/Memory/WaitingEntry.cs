using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>
/// A job that has never started, about 100 bytes of it: there may be millions. Its spec stays in the ledger, or in
/// <see cref="WorkCache"/>, until it starts.
/// </summary>
internal sealed class WaitingEntry(
    JobId id,
    Shape shape,
    int priority,
    int itemCount,
    long submitOrder,
    DateTimeOffset createdAt
) : IQueued
{
    /// <summary>The rules of the job are not known before its spec is read: one shard at first.</summary>
    public const int UnknownParallel = 0;

    private readonly long createdAtTicks = createdAt.UtcTicks;
    private byte state;

    public JobId Id { get; } = id;
    public Shape Shape { get; } = shape;
    public int Priority { get; } = priority;
    public int ItemCount { get; } = itemCount;
    public long SubmitOrder { get; } = submitOrder;
    public DateTimeOffset CreatedAt => new(createdAtTicks, TimeSpan.Zero);

    /// <summary>Shards that may run at once, or <see cref="UnknownParallel"/>.</summary>
    public int MaxParallel { get; init; } = UnknownParallel;

    /// <summary>Queued, held or blocked.</summary>
    public JobState State
    {
        get => (JobState)state;
        set => state = (byte)value;
    }

    /// <summary>Moves of the job on their way to the ledger; it is not planned meanwhile.</summary>
    public ushort Moves { get; set; }

    /// <summary>Its end is on its way to the ledger.</summary>
    public bool IsEnding { get; set; }

    /// <summary>Where the queue of its shape has it.</summary>
    public QueuePlace Place { get; set; }

    // Neighbours in the line of its priority; the line's own.
    public WaitingEntry? Before { get; set; }
    public WaitingEntry? After { get; set; }
}

internal enum QueuePlace : byte
{
    /// <summary>It is held, blocked, or being moved.</summary>
    None,

    /// <summary>In the line of its priority, in the order of submission.</summary>
    Line,

    /// <summary>Among those that came to the queue later than their turn.</summary>
    Returned,
}
