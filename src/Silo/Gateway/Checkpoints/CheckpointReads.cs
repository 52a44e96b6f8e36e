using System.Globalization;
using System.Net;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Checkpoints;
using EgpuFleet.Silo.Membership;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>What agents read of checkpoints: any enrolled node may take over any job.</summary>
internal sealed class CheckpointReads(ICheckpointStore store, NodeAuthentication nodes) : IDisposable
{
    /// <summary>Each holds a connection of the store and a buffer until its reader has all.</summary>
    private readonly SemaphoreSlim places = new(Limits.ConcurrentRestores);

    /// <summary>The newest complete checkpoint of <c>?job=…&amp;shard=…</c>.</summary>
    public async Task<IResult> LatestAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        var job = CheckpointAnswers.Job(request.Query["job"]);
        if (!int.TryParse(request.Query["shard"], NumberStyles.None, CultureInfo.InvariantCulture, out var shard))
            throw GatewayException.Invalid("shard", "it is not a number from 0.");
        var latest =
            await store.FindLatestAsync(new ShardId(job, shard), cancellationToken)
            ?? throw GatewayException.NotFound("This shard has no complete checkpoint.");
        return await AnswerAsync(latest.Checkpoint, latest.PassedOver, cancellationToken);
    }

    public async Task<IResult> GetAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        return await AnswerAsync(await RequireAsync(id, cancellationToken), [], cancellationToken);
    }

    /// <summary>The bytes of all tensors, one after the other in the order of the manifest.</summary>
    public async Task SendAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        var checkpoint = await RequireAsync(id, cancellationToken);
        var manifest = await ManifestAsync(checkpoint, cancellationToken);
        var response = request.HttpContext.Response;
        response.ContentType = "application/octet-stream";
        response.ContentLength = checkpoint.SizeBytes;
        await places.WaitAsync(cancellationToken);
        try
        {
            var hashes = manifest.Tensors.SelectMany(tensor => ChunkHash.ReadAll(tensor.Hashes)).ToArray();
            await foreach (var chunk in store.ReadAsync(hashes, cancellationToken))
                await response.Body.WriteAsync(chunk, cancellationToken);
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>The same for anybody, as a file of safetensors whose every chunk was compared with its hash.</summary>
    public async Task ExportAsync(HttpResponse response, string id, CancellationToken cancellationToken)
    {
        var checkpoint = await RequireAsync(id, cancellationToken);
        var manifest = await ManifestAsync(checkpoint, cancellationToken);
        var file = FileOf(checkpoint, manifest);
        response.ContentType = "application/octet-stream";
        response.ContentLength = file.SizeBytes;
        response.Headers.ContentDisposition = $"attachment; filename={checkpoint.Id}.safetensors";
        await places.WaitAsync(cancellationToken);
        try
        {
            await file.WriteAsync(response.Body, cancellationToken);
        }
        finally
        {
            places.Release();
        }
    }

    public async Task<IResult> VerifyAsync(HttpRequest request, string id, CancellationToken cancellationToken)
    {
        await nodes.RequireAsync(request);
        var verdict =
            await store.VerifyAsync(CheckpointAnswers.Id(id), cancellationToken) ?? throw CheckpointAnswers.Unknown(id);
        return CheckpointAnswers.Json(new CheckpointExamination(verdict.Damaged.Count == 0, verdict.Damaged.Count));
    }

    public void Dispose() => places.Dispose();

    private CheckpointFile FileOf(CheckpointRecord checkpoint, Manifest manifest)
    {
        try
        {
            return new CheckpointFile(store, checkpoint, manifest);
        }
        catch (InvalidOperationException e)
        {
            throw new GatewayException(HttpStatusCode.UnprocessableEntity, "checkpoint_not_exportable", e.Message);
        }
    }

    private async Task<CheckpointRecord> RequireAsync(string id, CancellationToken cancellationToken) =>
        await store.FindAsync(CheckpointAnswers.Id(id), cancellationToken) ?? throw CheckpointAnswers.Unknown(id);

    private async Task<Manifest> ManifestAsync(CheckpointRecord checkpoint, CancellationToken cancellationToken) =>
        await store.ReadManifestAsync(checkpoint.Id, cancellationToken)
        ?? throw GatewayException.NotFound($"{checkpoint.Id} has just been removed.");

    private async Task<IResult> AnswerAsync(
        CheckpointRecord checkpoint,
        IReadOnlyList<CheckpointRecord> passedOver,
        CancellationToken cancellationToken
    ) =>
        CheckpointAnswers.Json(
            new CheckpointToRestore(
                CheckpointAnswers.Part(checkpoint),
                await ManifestAsync(checkpoint, cancellationToken),
                [.. passedOver.Select(CheckpointAnswers.Part)]
            )
        );
}
