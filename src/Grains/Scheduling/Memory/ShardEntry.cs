using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;

namespace EgpuFleet.Grains.Scheduling.Memory;

/// <summary>A shard that is queued or running, in the leader's memory.</summary>
internal sealed class ShardEntry(ShardId id, int firstItem, int itemCount)
{
    public ShardId Id { get; } = id;
    public int FirstItem { get; } = firstItem;
    public int ItemCount { get; } = itemCount;
    public required ShardState State { get; set; }
    public required int Epoch { get; set; }

    /// <summary>Device of the current lease, or of the last one.</summary>
    public required DeviceId? Device { get; set; }
    public int FailureCount { get; set; }

    /// <summary>The device on which the work itself failed last.</summary>
    public DeviceId? FailedOn { get; set; }

    /// <summary>
    /// Its worker died while others ran there too, and it may be the one that killed it: from now on it runs beside no other
    /// suspect, so that the next death is known to be its own.
    /// </summary>
    public bool IsSuspect { get; set; }

    /// <summary>Database time before which it must not be leased again.</summary>
    public DateTimeOffset? NotBefore { get; set; }

    /// <summary>Items without a result, those on their way to the ledger left out.</summary>
    public required ItemSet OpenItems { get; init; }

    /// <summary>How many were open when the current lease was granted.</summary>
    public int OpenItemsAtGrant { get; set; }

    /// <summary>Its next lease is on its way to the ledger.</summary>
    public bool IsStarting { get; set; }

    /// <summary>The end of its lease is on its way to the ledger; nothing more is decided about it until the answer.</summary>
    public bool IsEnding { get; set; }

    /// <summary>It is ending as done, by the transaction that is being put together now.</summary>
    public bool IsFinishing { get; set; }

    public LeaseKey Lease => new(Id, Epoch, Device ?? throw new InvalidOperationException($"{Id} was never leased."));

    /// <summary>It waits for a device, and may have one now.</summary>
    public bool IsReady(DateTimeOffset now) =>
        State == ShardState.Queued && !IsStarting && (NotBefore is not { } notBefore || notBefore <= now);
}
