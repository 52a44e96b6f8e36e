using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Grains.Interfaces.Training;

namespace EgpuFleet.Grains.Interfaces.Execution;

/// <summary>
/// A leased shard with all it needs. The device must stop when the lease was not renewed for
/// <paramref name="LeaseDuration"/> counted from when it received this, or from its last renewing heartbeat's send.
/// </summary>
/// <param name="Items">The items still without a result, at most <c>Limits.MaxShardBytes</c> together (or a single larger one).</param>
/// <param name="Model">Null for a kind that needs none.</param>
/// <param name="Generation">Null for a kind that generates nothing.</param>
/// <param name="TraceParent">W3C trace context of the job.</param>
[GenerateSerializer, Immutable, Alias("fleet.ShardAssignment")]
public sealed record ShardAssignment(
    [property: Id(0)] LeaseKey Lease,
    [property: Id(1)] TimeSpan LeaseDuration,
    [property: Id(2)] ModelRecord? Model,
    [property: Id(3)] GenerationParameters? Generation,
    [property: Id(4)] IReadOnlyList<BatchItem> Items,
    [property: Id(5)] string? TraceParent,
    [property: Id(6)] JobKind Kind = JobKind.Batch,
    [property: Id(7)] NoopParameters? Noop = null,
    [property: Id(8)] TuneParameters? Tune = null,
    [property: Id(9)] TrainParameters? Train = null
);

/// <summary>What a report means for its shard.</summary>
public enum ShardOutcome
{
    /// <summary>Some results, or of a training run a newer checkpoint that is complete; the shard goes on.</summary>
    Progress = 0,

    /// <summary>Every item of the assignment has its result, in this report or an earlier one.</summary>
    Finished = 1,

    /// <summary>It cannot go on here: worker lost, model not loadable, device failed. The failure says whether elsewhere may help.</summary>
    Failed = 2,
}

/// <summary>Why a shard failed. A retryable failure runs elsewhere; another one ends the job.</summary>
[GenerateSerializer, Immutable, Alias("fleet.ShardFailure")]
public sealed record ShardFailure(
    [property: Id(0)] string Code,
    [property: Id(1)] string Message,
    [property: Id(2)] bool Retryable
);

/// <summary>A device's report on one of its leases.</summary>
[GenerateSerializer, Immutable, Alias("fleet.ShardReport")]
public sealed record ShardReport(
    [property: Id(0)] LeaseKey Lease,
    [property: Id(1)] ShardOutcome Outcome,
    [property: Id(2)] IReadOnlyList<ItemResult> Results,
    [property: Id(3)] ShardFailure? Failure
);

/// <summary>Whether the report was made durable.</summary>
public enum ReportReply
{
    Accepted = 0,

    /// <summary>The lease is not current: stop, and keep nothing of it.</summary>
    Fenced = 1,
}
