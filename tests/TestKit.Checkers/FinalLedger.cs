namespace EgpuFleet.TestKit.Checkers;

/// <summary>A job as the ledger has it in the end.</summary>
/// <param name="Key">The idempotency key it is remembered under; null: none.</param>
public sealed record FinalJob(string Id, string Tenant, string? Key, JobPhase State, int ItemCount)
{
    /// <summary>The jobs that were to succeed before it, where it was cancelled because one of them did not.</summary>
    public IReadOnlyList<string> NeededInVain { get; init; } = [];
}

/// <summary>A stored result; two with the same job and item are two rows.</summary>
public sealed record FinalResult(string Job, int Item, string Digest);

/// <summary>What an accepted write did.</summary>
public enum WriteKind
{
    /// <summary>A leader took over; <see cref="AcceptedWrite.LeaderEpoch"/> is its epoch.</summary>
    LeaderElected = 0,
    Submitted = 1,
    ShardStarted = 2,
    ResultsRecorded = 3,
    ShardFinished = 4,
    ShardRequeued = 5,
    ShardFailed = 6,

    /// <summary>All running shards of the job went back to the queue with it.</summary>
    JobPaused = 7,
    Succeeded = 8,
    Failed = 9,
    Cancelled = 10,
}

/// <summary>One write that the ledger accepted.</summary>
/// <param name="LeaderEpoch">Under which the write came; null where that is not recorded.</param>
/// <param name="Shard">Number within the job; null for a write about the job.</param>
/// <param name="Epoch">Of the shard's lease; null for a write about the job.</param>
/// <param name="Place">Where a shard started: a name in <see cref="FinalLedger.Capacity"/>; null otherwise.</param>
public sealed record AcceptedWrite(
    WriteKind Kind,
    string Job,
    int? Shard = null,
    long? Epoch = null,
    string? Place = null,
    long? LeaderEpoch = null
);

/// <summary>The truth after a run.</summary>
/// <param name="Writes">All accepted writes in commit order.</param>
/// <param name="Capacity">Leases that a place may hold at once, such as <c>node-1/cpu#noop</c> → 64.</param>
public sealed record FinalLedger(
    IReadOnlyList<FinalJob> Jobs,
    IReadOnlyList<FinalResult> Results,
    IReadOnlyList<AcceptedWrite> Writes,
    IReadOnlyDictionary<string, int> Capacity
)
{
    public static FinalLedger Empty { get; } = new([], [], [], new Dictionary<string, int>(StringComparer.Ordinal));
}

/// <summary>A promise that was broken.</summary>
/// <param name="Rule">Such as <c>J3</c>.</param>
/// <param name="What">What was seen, with the ids that are needed to look for it.</param>
public sealed record Violation(string Rule, string What)
{
    public override string ToString() => $"{Rule}: {What}";
}
