using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.Grains.Training.Policy;

namespace EgpuFleet.Grains.Ports;

/// <summary>
/// The rounds of data parallel runs. Members speak under the lease of their shard; a call under one that is not current
/// changes nothing (<see cref="RoundReply.Fenced"/>). What a call changes it changes in one transaction; every call may be
/// repeated after a lost answer. A round that is closing is closed by any process: what it computes depends on what is stored
/// alone, and the first one to commit has closed it.
/// <para>Calls throw <see cref="LedgerUnavailableException"/> when the database does not answer or its disk is full.</para>
/// </summary>
public interface IRoundStore
{
    /// <summary>
    /// Begins the run of a job with these weights, unless it has begun; then its terms must be the same, and
    /// <paramref name="weights"/> is left alone.
    /// </summary>
    /// <param name="weights">An open checkpoint of the member with all its chunks stored.</param>
    Task<RoundOutcome> BeginAsync(
        RoundLease lease,
        RoundTerms terms,
        CheckpointId weights,
        Manifest manifest,
        CancellationToken cancellationToken
    );

    Task<RoundOutcome> JoinAsync(RoundLease lease, CancellationToken cancellationToken);

    /// <summary>Leases microshards to a member until it holds <paramref name="total"/>.</summary>
    Task<RoundOutcome> TakeAsync(RoundLease lease, int round, int total, CancellationToken cancellationToken);

    Task<RoundOutcome> ContributeAsync(RoundLease lease, RoundWork work, CancellationToken cancellationToken);

    /// <summary>The run of a job as it is; null when nobody has begun it.</summary>
    Task<RoundRun?> FindAsync(JobId job, CancellationToken cancellationToken);

    /// <summary>Looks at time and members of every open run; returns those with a round to close.</summary>
    Task<IReadOnlyList<JobId>> TickAsync(CancellationToken cancellationToken);

    /// <summary>Reserves the closing of a round for a while, so that not every silo computes it; null when another has.</summary>
    Task<RoundRun?> ClaimAsync(JobId job, string closer, TimeSpan time, CancellationToken cancellationToken);

    /// <summary>Opens the checkpoint of the next base.</summary>
    Task<CheckpointId> OpenBaseAsync(RoundRun run, CancellationToken cancellationToken);

    /// <summary>Stores chunks of it, those that are not there yet.</summary>
    /// <returns>False: it was given up.</returns>
    Task<bool> StoreAsync(CheckpointId id, IReadOnlyList<Chunk> chunks, CancellationToken cancellationToken);

    /// <summary>
    /// New base, applied microshards and the next round in one transaction. False when the round was closed by another:
    /// then nothing is changed, and the new base is given up.
    /// </summary>
    Task<bool> CloseAsync(RoundRun run, RoundResult result, CancellationToken cancellationToken);

    /// <summary>Microshards that were applied, in the order of rounds.</summary>
    Task<IReadOnlyList<(int Round, int Microshard)>> AppliedAsync(JobId job, CancellationToken cancellationToken);
}

/// <summary>A member of a run: a shard of the job under a lease, and the node that has it.</summary>
public readonly record struct RoundLease(ShardId Shard, int Epoch, NodeId Node);

/// <summary>A run and the checkpoint that its round starts from.</summary>
/// <param name="Now">By the database's clock.</param>
/// <param name="Figures">Of its last rounds, in their order.</param>
public sealed record RoundRun(
    JobId Job,
    RoundTerms Terms,
    RoundState State,
    CheckpointId Checkpoint,
    DateTimeOffset Now,
    IReadOnlyList<RoundFigures> Figures
);

/// <summary>What a member is told; the run as it is then, where there is one.</summary>
public sealed record RoundOutcome(RoundReply Reply, RoundRun? Run, string Detail = "");

/// <summary>What a member hands in.</summary>
/// <param name="Delta">An open checkpoint of the member with all its chunks stored.</param>
public sealed record RoundWork(
    int Round,
    string Base,
    CheckpointId Delta,
    DeltaEncoding Encoding,
    Manifest Manifest,
    long Tokens,
    IReadOnlyList<int> Microshards,
    double Loss = 0
);

/// <summary>What became of a round.</summary>
/// <param name="Next">The new base; null: nothing was applied.</param>
/// <param name="Dropped">Contributions that were not applied, and why.</param>
/// <param name="Norm">Of the mean difference.</param>
public sealed record RoundResult(NewBase? Next, IReadOnlyDictionary<string, DropReason> Dropped, double Norm);

/// <summary>A checkpoint whose chunks are all stored: weights and velocity.</summary>
public sealed record NewBase(CheckpointId Checkpoint, Manifest Manifest);
