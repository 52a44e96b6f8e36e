using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace EgpuFleet.TestKit.Fleet;

/// <summary>
/// A job in a pool of its own that no scheduler serves, with a shard under lease: what whoever saves checkpoints needs.
/// </summary>
public static class TrainingShard
{
    /// <param name="shards">All of them leased to the node.</param>
    /// <param name="model">What is trained; null with <paramref name="train"/>.</param>
    /// <param name="train">Null: nothing is, the job is a no-op.</param>
    /// <returns>The first shard, leased to the node under epoch 1.</returns>
    public static async Task<ShardId> LeaseAsync(
        string connectionString,
        NodeId node,
        TimeProvider clock,
        CancellationToken cancellationToken,
        int shards = 1,
        ModelRef? model = null,
        TrainParameters? train = null
    )
    {
        ArgumentNullException.ThrowIfNull(clock);
        await using var ledger = new PostgresLedger(connectionString, clock, NullLoggerFactory.Instance);
        var pool = new PoolId($"training-{Guid.NewGuid():N}");
        var leadership =
            await ledger.AcquireLeadershipAsync(pool, "training", TimeSpan.FromHours(1), cancellationToken)
            ?? throw new InvalidOperationException("A pool that is new has a leader.");
        var job = new JobSpec(
            JobId.New(clock.GetUtcNow()),
            TenantId.Default,
            train is null ? JobKind.Noop : JobKind.Train,
            model,
            Generation: null,
            Priority: 0,
            ItemCount: shards,
            TraceParent: null,
            JobRules.Default,
            train is null ? new NoopParameters(0, NoopFault.None) : null,
            Train: train
        );
        var shard = new ShardId(job.Id, 0);
        LedgerOperation[] steps =
        [
            new LedgerOperation.SubmitJob(
                job,
                null,
                [.. Enumerable.Range(0, shards).Select(i => new BatchItem(i, $"{i}", "state", null))]
            ),
            new LedgerOperation.StartJob(job.Id),
            .. Enumerable
                .Range(0, shards)
                .Select(i => new LedgerOperation.StartShard(new ShardId(job.Id, i), i, 1, new DeviceId(node, "cpu"))),
        ];
        foreach (var step in steps)
        {
            var outcomes = await ledger.CommitAsync(leadership.Term, [step], cancellationToken);
            if (!outcomes[0].Applied)
                throw new InvalidOperationException($"{step} was refused.");
        }
        return shard;
    }
}
