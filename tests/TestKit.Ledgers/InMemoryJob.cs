using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Jobs;

namespace EgpuFleet.TestKit.Ledgers;

/// <summary>One job of the in-memory ledger with all that belongs to it.</summary>
internal sealed class InMemoryJob(PoolId pool, JobSpec spec, DateTimeOffset createdAt)
{
    public PoolId Pool { get; } = pool;
    public JobSpec Spec { get; } = spec;
    public DateTimeOffset CreatedAt { get; } = createdAt;

    /// <summary>What a job that was not queued at once depends on.</summary>
    public IReadOnlyList<JobDependency> UnmetBy => State == JobState.Queued ? [] : Spec.Rules.DependsOn;

    public JobState State { get; set; }
    public int NextItem { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }
    public JobEnd? End { get; set; }
    public List<InMemoryShard> Shards { get; } = [];
    public SortedDictionary<int, ItemResult> Results { get; } = [];
    public List<JobEvent> Events { get; } = [];
    public IReadOnlyList<BatchItem> Items { get; init; } = [];

    public bool IsActive => !JobLifecycle.IsTerminal(State);
    public int FailedItems => Results.Values.Count(r => r.ErrorCode is not null);

    public JobRecord Record() =>
        new(Spec, State, Results.Count - FailedItems, FailedItems, CreatedAt, StartedAt, FinishedAt, End);
}

/// <summary>One shard; its number is its position in the job's list.</summary>
internal sealed class InMemoryShard(int firstItem, int itemCount, DeviceId device)
{
    public int FirstItem { get; } = firstItem;
    public int ItemCount { get; } = itemCount;
    public DeviceId Device { get; set; } = device;
    public ShardState State { get; set; } = ShardState.Running;
    public int Epoch { get; set; } = 1;
    public int FailureCount { get; set; }
    public DateTimeOffset? NotBefore { get; set; }

    public bool IsLeasedAt(int epoch) => State == ShardState.Running && Epoch == epoch;

    public bool Covers(int item) => item >= FirstItem && item < FirstItem + ItemCount;
}
