using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Membership;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>The steps of a checkpoint's writer, as agents ask for them. The lease is the caller's own, or it is refused.</summary>
internal sealed class CheckpointWrites(ICheckpointStore store, NodeAuthentication nodes) : IDisposable
{
    /// <summary>Bounds the memory of batches; who comes later is not read from until a place is free.</summary>
    private readonly SemaphoreSlim places = new(Limits.ConcurrentBatches);

    public async Task<IResult> OpenAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var node = await nodes.RequireAsync(request);
        var opening = await InternalJson.ReadAsync<CheckpointOpening>(request, CheckpointJson.Options);
        if (opening.Shard < 0 || opening.Epoch < 1 || opening.Step < 0)
            throw GatewayException.Invalid("step", "shard, epoch and step are not negative, and epochs begin with 1.");
        CheckpointId? parent = opening.Parent is null ? null : CheckpointAnswers.Id(opening.Parent);
        var shard = new ShardId(CheckpointAnswers.Job(opening.Job), opening.Shard);
        var outcome = await store.OpenAsync(
            new CheckpointDraft(shard, opening.Epoch, node, opening.Step, parent),
            cancellationToken
        );
        var id = CheckpointAnswers.Require(outcome);
        return CheckpointAnswers.Json(new CheckpointOpened(id.ToString()), StatusCodes.Status201Created);
    }

    /// <summary>Hashes in, the missing ones out; 32 bytes each.</summary>
    public async Task<IResult> AnnounceAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var writer = await WriterAsync(request, id);
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        if (body.Length % ChunkHash.Bytes != 0)
            throw GatewayException.BadRequest("invalid_hashes", "A hash has 32 bytes.");
        if (body.Length > CheckpointLimits.HashesPerAnnouncement * ChunkHash.Bytes)
            throw GatewayException.TooLarge(
                $"An announcement has at most {CheckpointLimits.HashesPerAnnouncement} hashes."
            );
        var hashes = ChunkHash.ReadAll(body.GetBuffer().AsSpan(0, (int)body.Length));
        if (hashes.Distinct().Count() != hashes.Length)
            throw GatewayException.BadRequest("invalid_hashes", "A hash is named twice.");
        var missing = CheckpointAnswers.Require(await store.AnnounceAsync(writer, hashes, cancellationToken));
        return Results.Bytes(ChunkHash.WriteAll(missing), "application/octet-stream");
    }

    public async Task<IResult> StoreAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var writer = await WriterAsync(request, id);
        await places.WaitAsync(cancellationToken);
        try
        {
            using var batch = await ChunkBatch.ReadAsync(request.Body, cancellationToken);
            var stored = CheckpointAnswers.Require(await store.StoreAsync(writer, batch.Chunks, cancellationToken));
            return CheckpointAnswers.Json(new ChunkReceipt(stored));
        }
        finally
        {
            places.Release();
        }
    }

    public async Task<IResult> CompleteAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        var writer = await WriterAsync(request, id);
        var sealing = await InternalJson.ReadAsync<CheckpointSealing>(request, CheckpointJson.Options);
        var outcome = await store.CompleteAsync(writer, sealing.Manifest, sealing.Metrics, cancellationToken);
        return CheckpointAnswers.Json(CheckpointAnswers.Part(CheckpointAnswers.Require(outcome)));
    }

    public void Dispose() => places.Dispose();

    private async Task<CheckpointWriter> WriterAsync(HttpRequest request, string id)
    {
        var node = await nodes.RequireAsync(request);
        return new CheckpointWriter(CheckpointAnswers.Id(id), node);
    }
}
