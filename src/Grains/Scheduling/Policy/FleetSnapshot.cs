using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Models;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>An immutable picture of the fleet and of the work that waits: all that a plan depends on.</summary>
/// <param name="Devices">Devices heard of, in no special order, each once.</param>
/// <param name="Queue">Jobs with work that no lease covers, in no special order, each once.</param>
public sealed record FleetSnapshot(
    ImmutableArray<DeviceSlot> Devices,
    ImmutableArray<WaitingJob> Queue,
    PolicyOptions Options
);

/// <summary>A device as the planner sees it.</summary>
/// <param name="Ready">Its node is heard and its worker can take work.</param>
/// <param name="Leased">A shard is leased there, or about to be.</param>
/// <param name="HeldBack">It refused or failed a shard a moment ago and is left alone for now.</param>
/// <param name="TokensPerSecond">Measured; 0 when nothing was measured yet.</param>
/// <param name="MemoryBytes">Memory models may use there.</param>
/// <param name="MemoryUsedBytes">Memory in use by what is loaded.</param>
/// <param name="LoadedModels">SHA-256 of each loaded model.</param>
/// <param name="ActiveSequences">Sequences in decode now.</param>
public sealed record DeviceSlot(
    DeviceId Id,
    bool Ready,
    bool Leased,
    bool HeldBack,
    double TokensPerSecond,
    long MemoryBytes,
    long MemoryUsedBytes,
    ImmutableArray<string> LoadedModels,
    int ActiveSequences
)
{
    /// <summary>It can be given a shard now.</summary>
    public bool IsFree => Ready && !Leased && !HeldBack;
}

/// <summary>A job with work that no lease covers.</summary>
/// <param name="SubmitOrder">Lower was submitted earlier.</param>
/// <param name="Model">What it needs; null when its model is not registered.</param>
/// <param name="Requeued">Shards that lost their lease.</param>
/// <param name="NextItem">First item that no shard covers; <paramref name="ItemCount"/> when all are covered.</param>
public sealed record WaitingJob(
    JobId Id,
    int Priority,
    long SubmitOrder,
    ModelRecord? Model,
    ImmutableArray<WaitingShard> Requeued,
    int NextItem,
    int NextShardNumber,
    int ItemCount
);

/// <summary>A shard that lost its lease.</summary>
/// <param name="Epoch">Epoch of the lease it lost.</param>
/// <param name="FailedOn">The device on which the work itself just failed; null when it was not the work.</param>
public sealed record WaitingShard(ShardId Id, int Epoch, int FirstItem, int ItemCount, DeviceId? FailedOn);
