using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;

namespace EgpuFleet.NodeAgent.Checkpoints;

/// <summary>
/// Saves and restores training states through the gateway. Only chunks that the store lacks are sent; every chunk that comes
/// back is compared with its hash.
/// </summary>
/// <param name="client">Its base address is the gateway; it carries the node's credential.</param>
public sealed class CheckpointClient(HttpClient client)
{
    /// <summary>Size of the chunks that a tensor is cut into.</summary>
    public const int ChunkBytes = Limits.CheckpointChunkBytes;

    private readonly CheckpointHttp http = new(client);

    /// <summary>Returns when the checkpoint is complete and durable.</summary>
    /// <exception cref="CheckpointException">The store refused: <c>fenced</c> when the lease is lost.</exception>
    /// <exception cref="HttpRequestException">Nobody answers, or the database does not; the state is not saved.</exception>
    public async Task<SavedCheckpoint> SaveAsync(
        TrainingLease lease,
        TrainingState state,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(state);
        var plan = new ChunkPlan(state, ChunkBytes);
        var id = await OpenAsync(lease, state, cancellationToken);
        var sent = 0L;
        for (var attempt = 1; ; attempt++)
        {
            sent += await ChunkUpload.SendAsync(http, id, plan, cancellationToken);
            try
            {
                var sealing = new CheckpointSealing(plan.Manifest(), state.Metrics);
                var saved = await CompleteAsync(id, sealing, cancellationToken);
                return new SavedCheckpoint(saved.Id, saved.SizeBytes, sent);
            }
            catch (CheckpointException e) when (e.Code == "chunks_missing" && attempt < Limits.CheckpointAttempts)
            {
                // A chunk that was there turned out to be damaged meanwhile: it is asked for now.
            }
        }
    }

    /// <summary>
    /// Restores the newest complete checkpoint of a shard. One that turns out damaged on the way is told to the store, which
    /// looks for itself; then the one before it is restored, from the start, into the same places.
    /// </summary>
    /// <param name="place">Where a tensor goes: memory of exactly its size.</param>
    /// <returns>Null when there is no complete checkpoint.</returns>
    /// <exception cref="CheckpointException"><c>checkpoint_damaged</c>: what came was wrong though what is stored is right.</exception>
    public async Task<RestoredCheckpoint?> RestoreAsync(
        ShardId shard,
        Func<ManifestTensor, Memory<byte>> place,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(place);
        for (var attempt = 1; ; )
        {
            if (await FindLatestAsync(shard, cancellationToken) is not { } latest)
                return null;
            var id = latest.Checkpoint.Id;
            try
            {
                await ReadAsync(id, latest.Manifest, place, cancellationToken);
                return new RestoredCheckpoint(latest.Checkpoint, latest.Manifest, latest.PassedOver);
            }
            catch (CheckpointException e) when (e.Code == "checkpoint_damaged")
            {
                var found = await http.PostAsync<CheckpointExamination>($"/{id}/verify", null, cancellationToken);
                if (found.IsIntact && attempt++ == Limits.CheckpointAttempts)
                    throw;
            }
        }
    }

    /// <summary>Opens a checkpoint and stores its chunks, for another call to say what becomes of it.</summary>
    /// <exception cref="CheckpointException">The store refused: <c>fenced</c> when the lease is lost.</exception>
    public async Task<StagedCheckpoint> StageAsync(
        TrainingLease lease,
        TrainingState state,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(state);
        var plan = new ChunkPlan(state, ChunkBytes);
        var id = await OpenAsync(lease, state, cancellationToken);
        // Nobody compares a manifest with what is stored here: until an announcement finds everything, which is durable then.
        var sent = 0L;
        for (var attempt = 1; attempt <= Limits.CheckpointAttempts; attempt++)
        {
            var now = await ChunkUpload.SendAsync(http, id, plan, cancellationToken);
            sent += now;
            if (now == 0)
                break;
        }
        return new StagedCheckpoint(id, plan.Manifest(), sent);
    }

    private async Task<string> OpenAsync(TrainingLease lease, TrainingState state, CancellationToken cancellationToken)
    {
        var opening = new CheckpointOpening(
            lease.Shard.Job.ToString(),
            lease.Shard.Number,
            lease.Epoch,
            state.Step,
            state.Parent
        );
        return (await http.PostAsync<CheckpointOpened>("", opening, cancellationToken)).Id;
    }

    /// <summary>Restores one checkpoint, of whatever job.</summary>
    /// <param name="place">As of <see cref="RestoreAsync(ShardId,Func{ManifestTensor,Memory{byte}},CancellationToken)"/>.</param>
    /// <exception cref="CheckpointException"><c>not_found</c>; <c>checkpoint_damaged</c>.</exception>
    public async Task<RestoredCheckpoint> RestoreAsync(
        CheckpointId checkpoint,
        Func<ManifestTensor, Memory<byte>> place,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(place);
        var one = await http.GetAsync<CheckpointToRestore>($"/{checkpoint}", cancellationToken);
        await ReadAsync(one.Checkpoint.Id, one.Manifest, place, cancellationToken);
        return new RestoredCheckpoint(one.Checkpoint, one.Manifest, one.PassedOver);
    }

    private async Task ReadAsync(
        string id,
        Manifest manifest,
        Func<ManifestTensor, Memory<byte>> place,
        CancellationToken cancellationToken
    )
    {
        using var response = await http.SendAsync(HttpMethod.Get, $"/{id}/data", null, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await CheckpointReader.ReadAsync(body, manifest, place, cancellationToken);
    }

    /// <summary>An answer that was lost is asked for: it may be complete.</summary>
    private async Task<CheckpointPart> CompleteAsync(
        string id,
        CheckpointSealing sealing,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await http.PostAsync<CheckpointPart>($"/{id}/complete", sealing, cancellationToken);
        }
        catch (CheckpointException e) when (e.Code == "checkpoint_not_open")
        {
            try
            {
                return (await http.GetAsync<CheckpointToRestore>($"/{id}", cancellationToken)).Checkpoint;
            }
            catch (CheckpointException unknown) when (unknown.Code == "not_found")
            {
                throw e;
            }
        }
    }

    private async Task<CheckpointToRestore?> FindLatestAsync(ShardId shard, CancellationToken cancellationToken)
    {
        try
        {
            return await http.GetAsync<CheckpointToRestore>(
                $"/latest?job={shard.Job}&shard={shard.Number}",
                cancellationToken
            );
        }
        catch (CheckpointException e) when (e.Code == "not_found")
        {
            return null;
        }
    }
}
