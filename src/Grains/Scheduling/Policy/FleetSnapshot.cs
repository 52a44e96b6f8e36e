using System.Collections.Immutable;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Training;

namespace EgpuFleet.Grains.Scheduling.Policy;

/// <summary>An immutable picture of the fleet and of the work that waits: all that a plan depends on.</summary>
/// <param name="Devices">Devices heard of, in no special order, each once.</param>
/// <param name="Queue">
/// Jobs with work that no lease covers, in no special order, each once; of those that fit the same devices only the first
/// few, since no others could get a slot.
/// </param>
public sealed record FleetSnapshot(
    ImmutableArray<DeviceSlot> Devices,
    ImmutableArray<WaitingJob> Queue,
    PolicyOptions Options
);

/// <summary>A device as the planner sees it.</summary>
/// <param name="Ready">Its node is heard and its worker can take work.</param>
/// <param name="Leased">A shard of a model is leased there, or about to be.</param>
/// <param name="HeldBack">It refused or failed a shard a moment ago and is left alone for now.</param>
/// <param name="TokensPerSecond">Measured; 0 when nothing was measured yet.</param>
/// <param name="MemoryBytes">Memory models may use there.</param>
/// <param name="MemoryUsedBytes">Memory in use by what is loaded.</param>
/// <param name="LoadedModels">SHA-256 of each loaded model.</param>
/// <param name="ActiveSequences">Sequences in decode now.</param>
/// <param name="NoopSlots">No-op shards it runs at once, beside its one shard of a model.</param>
/// <param name="FreeNoopSlots">Those that no lease takes.</param>
/// <param name="HasSuspect">A shard runs there that may be what killed a worker before.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Engine">Of its worker.</param>
/// <param name="Speeds">Measured, one of a kind of weights.</param>
/// <param name="Live">Measured over live work, by model.</param>
/// <param name="TrainEngine">Engine that trains there; null where none can.</param>
public sealed record DeviceSlot(
    DeviceId Id,
    bool Ready,
    bool Leased,
    bool HeldBack,
    double TokensPerSecond,
    long MemoryBytes,
    long MemoryUsedBytes,
    ImmutableArray<string> LoadedModels,
    int ActiveSequences,
    int NoopSlots = 0,
    int FreeNoopSlots = 0,
    bool HasSuspect = false,
    DeviceKind Kind = DeviceKind.Cpu,
    string Engine = "",
    ImmutableArray<DeviceSpeed> Speeds = default,
    ImmutableArray<LiveSpeed> Live = default,
    string? TrainEngine = null
)
{
    /// <summary>It can be given a shard of a model now.</summary>
    public bool IsFree => Ready && !Leased && !HeldBack;

    /// <summary>It can be given a no-op now.</summary>
    public bool IsFreeForNoops => Ready && !HeldBack && FreeNoopSlots > 0;
}

/// <summary>A job with work that no lease covers.</summary>
/// <param name="SubmitOrder">Lower was submitted earlier.</param>
/// <param name="Model">What it needs; null when its model is not registered, and for a kind that needs none.</param>
/// <param name="Requeued">Shards that lost their lease and may have a new one now.</param>
/// <param name="NextItem">First item that no shard covers; <paramref name="ItemCount"/> when all are covered.</param>
/// <param name="ParallelLeft">Shards of it that may be leased beside those that are.</param>
/// <param name="Devices">On what kind of device it may run; null: on any.</param>
/// <param name="Train">Exactly of a training run: what it takes of its device.</param>
public sealed record WaitingJob(
    JobId Id,
    int Priority,
    long SubmitOrder,
    ModelRecord? Model,
    ImmutableArray<WaitingShard> Requeued,
    int NextItem,
    int NextShardNumber,
    int ItemCount,
    JobKind Kind = JobKind.Batch,
    int ParallelLeft = int.MaxValue,
    DeviceChoice? Devices = null,
    TrainNeeds? Train = null
);

/// <summary>A shard that lost its lease.</summary>
/// <param name="Epoch">Epoch of the lease it lost.</param>
/// <param name="FailedOn">The device on which the work itself just failed; null when it was not the work.</param>
/// <param name="IsSuspect">It may be what killed a worker: it runs on no device beside another such.</param>
public sealed record WaitingShard(
    ShardId Id,
    int Epoch,
    int FirstItem,
    int ItemCount,
    DeviceId? FailedOn,
    bool IsSuspect = false
);
