using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Interfaces.Training;
using EgpuFleet.NodeAgent.Checkpoints;

namespace EgpuFleet.NodeAgent.Training;

/// <summary>
/// A member of a data parallel run, towards the gateway. Each call may be repeated after a lost answer, with the same work.
/// A refusal is a <see cref="CheckpointException"/>: <c>run_not_begun</c>, <c>not_a_member</c> (join first),
/// <c>stale_round</c> (go on from the next round's weights), <c>fenced</c> (the lease is lost: stop), <c>run_over</c>, …
/// </summary>
/// <param name="client">Its base address is the gateway; it carries the node's credential.</param>
public sealed class RoundClient(HttpClient client)
{
    private readonly CheckpointHttp http = new(client, InternalRoutes.TrainingRounds);
    private readonly CheckpointClient checkpoints = new(client);

    /// <summary>Begins the run with these weights, or finds it begun under the same terms.</summary>
    /// <param name="weights">32-bit floats alone: no moments.</param>
    public async Task<RoundNow> BeginAsync(
        TrainingLease lease,
        RoundTerms terms,
        TrainingState weights,
        CancellationToken cancellationToken
    )
    {
        var staged = await checkpoints.StageAsync(lease, weights, cancellationToken);
        var (job, shard, epoch) = Of(lease);
        var beginning = new RoundBeginning(job, shard, epoch, terms, staged.Id, staged.Manifest);
        return await http.PostAsync<RoundNow>("/begin", beginning, cancellationToken);
    }

    public Task<RoundNow> JoinAsync(TrainingLease lease, CancellationToken cancellationToken)
    {
        var (job, shard, epoch) = Of(lease);
        return http.PostAsync<RoundNow>("/join", new RoundJoining(job, shard, epoch), cancellationToken);
    }

    /// <summary>Leases microshards until the member holds <paramref name="total"/>, as far as there are any.</summary>
    public Task<RoundNow> TakeAsync(TrainingLease lease, int round, int total, CancellationToken cancellationToken)
    {
        var (job, shard, epoch) = Of(lease);
        return http.PostAsync<RoundNow>("/take", new RoundTaking(job, shard, epoch, round, total), cancellationToken);
    }

    /// <summary>Sends a difference, to be handed in by <see cref="ContributeAsync"/>: of it this may be repeated, it not.</summary>
    /// <param name="delta">As <see cref="DeltaEncoder"/> writes it, in the order of the weights.</param>
    public Task<StagedCheckpoint> SendAsync(
        TrainingLease lease,
        TrainingState delta,
        CancellationToken cancellationToken
    ) => checkpoints.StageAsync(lease, delta, cancellationToken);

    /// <param name="round">That the difference is from the base of.</param>
    /// <param name="tokens">Trained tokens.</param>
    /// <param name="microshards">Gone through, whole; the others that were leased are free again.</param>
    /// <param name="loss">Mean of the trained tokens.</param>
    public Task<RoundNow> ContributeAsync(
        TrainingLease lease,
        RoundNow round,
        StagedCheckpoint delta,
        DeltaEncoding encoding,
        long tokens,
        IReadOnlyList<int> microshards,
        double loss,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(round);
        ArgumentNullException.ThrowIfNull(delta);
        var (job, shard, epoch) = Of(lease);
        var contribution = new RoundContributing(
            job,
            shard,
            epoch,
            round.Round,
            round.Base,
            delta.Id,
            encoding,
            delta.Manifest,
            tokens,
            microshards,
            loss
        );
        return http.PostAsync<RoundNow>("/contribute", contribution, cancellationToken);
    }

    /// <summary>Waits until the round is over, or has microshards for this member; for some seconds, then it is to be asked again.</summary>
    public Task<RoundNow> NextAsync(TrainingLease lease, int round, CancellationToken cancellationToken) =>
        http.GetAsync<RoundNow>(
            $"/next?job={lease.Shard.Job}&shard={lease.Shard.Number}&round={round}",
            cancellationToken
        );

    /// <summary>Brings the weights that a round starts from; every chunk is compared with its hash.</summary>
    /// <param name="place">Where a tensor goes: memory of exactly its size.</param>
    /// <returns>Their manifest; the outer velocity is not in it.</returns>
    /// <exception cref="CheckpointException"><c>checkpoint_damaged</c></exception>
    public async Task<Manifest> FetchAsync(
        RoundNow round,
        Func<ManifestTensor, Memory<byte>> place,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(round);
        ArgumentNullException.ThrowIfNull(place);
        var weights = await http.GetAsync<Manifest>($"/manifest?checkpoint={round.Checkpoint}", cancellationToken);
        using var response = await http.SendAsync(
            HttpMethod.Get,
            $"/weights?checkpoint={round.Checkpoint}",
            null,
            cancellationToken
        );
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await CheckpointReader.ReadAsync(body, weights, place, cancellationToken);
        return weights;
    }

    private static (string Job, int Shard, int Epoch) Of(TrainingLease lease) =>
        (lease.Shard.Job.ToString(), lease.Shard.Number, lease.Epoch);
}
