using EgpuFleet.Api;
using EgpuFleet.Grains.Checkpoints.Policy;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Silo.Gateway.FineTuning;
using EgpuFleet.Silo.Gateway.Native;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>Checkpoints for people: list, look at, examine, collect.</summary>
public static class CheckpointRoutes
{
    public static void MapCheckpoints(this IEndpointRouteBuilder routes)
    {
        var checkpoints = routes.MapGroup(Routes.Checkpoints).WithTags("checkpoints");
        checkpoints
            .MapGet("", ListAsync)
            .Produces<Page<CheckpointInfo>>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .WithSummary("Checkpoints, newest first; of one job with ?job=");
        checkpoints
            .MapGet("{id}", GetAsync)
            .Produces<CheckpointInfo>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("One checkpoint");
        checkpoints
            .MapGet(
                "{id}/content",
                (HttpResponse response, string id, CheckpointReads reads, CancellationToken token) =>
                    reads.ExportAsync(response, id, token)
            )
            .Produces(StatusCodes.Status200OK, contentType: "application/octet-stream")
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("A checkpoint as a file of safetensors");
        checkpoints
            .MapPost("{id}/verify", VerifyAsync)
            .Produces<CheckpointVerdictInfo>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .WithSummary("Compare every chunk of a checkpoint with its hash, now");
        checkpoints
            .MapPost(
                "{id}/serve",
                (string id, TrainedModels models, CancellationToken token) => models.ServeAsync(id, token)
            )
            .Produces<ModelInfo>()
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .WithSummary("Register what a fine-tuning run had learnt at a checkpoint as a model");
        checkpoints
            .MapGet(
                "{id}/export/{format}/{file}",
                (
                    string id,
                    string format,
                    string file,
                    HttpResponse response,
                    TrainedModels models,
                    CancellationToken token
                ) => models.SendAsync(id, format, file, response, token)
            )
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status422UnprocessableEntity)
            .WithSummary("A file of what a run had learnt: peft, mlx or gguf");
        routes
            .MapPost(Routes.CheckpointsCollect, CollectAsync)
            .WithTags("checkpoints")
            .Produces<CheckpointCollectionInfo>()
            .WithSummary("Retire and collect checkpoints now instead of in a few minutes");
    }

    private static async Task<Page<CheckpointInfo>> ListAsync(
        HttpRequest request,
        ICheckpointStore store,
        CancellationToken cancellationToken
    )
    {
        var query = PageQuery.Read(request);
        if (query.OldestFirst)
            throw GatewayException.BadRequest("invalid_query", "Checkpoints are listed newest first only.");
        var job = request.Query["job"].ToString();
        var page = new CheckpointPage(
            job.Length == 0 ? null : CheckpointAnswers.Job(job),
            query.After is null ? null : CheckpointAnswers.Id(query.After),
            query.Limit + 1
        );
        var found = await store.ListAsync(page, cancellationToken);
        CheckpointInfo[] shown = [.. found.Take(query.Limit).Select(Show)];
        return Pages.Of(shown, checkpoint => checkpoint.Id, found.Count > query.Limit);
    }

    private static async Task<CheckpointInfo> GetAsync(
        string id,
        ICheckpointStore store,
        CancellationToken cancellationToken
    ) =>
        Show(await store.FindAsync(CheckpointAnswers.Id(id), cancellationToken) ?? throw CheckpointAnswers.Unknown(id));

    private static async Task<CheckpointVerdictInfo> VerifyAsync(
        string id,
        ICheckpointStore store,
        CancellationToken cancellationToken
    )
    {
        var verdict =
            await store.VerifyAsync(CheckpointAnswers.Id(id), cancellationToken) ?? throw CheckpointAnswers.Unknown(id);
        return new CheckpointVerdictInfo(
            Show(verdict.Checkpoint),
            verdict.Damaged.Count == 0,
            verdict.ChunkCount,
            verdict.Damaged.Count,
            [.. verdict.Damaged.Take(Limits.DamagedChunksShown).Select(hash => hash.ToString())]
        );
    }

    private static async Task<CheckpointCollectionInfo> CollectAsync(
        ICheckpointStore store,
        CancellationToken cancellationToken
    )
    {
        var pass = await store.CollectAsync(CheckpointRules.Default, cancellationToken);
        return new CheckpointCollectionInfo(pass.Retired, pass.Dropped, pass.RemovedChunks, pass.RemovedBytes);
    }

    private static CheckpointInfo Show(CheckpointRecord record) =>
        new(
            record.Id.ToString(),
            record.Shard.Job.ToString(),
            record.Shard.Number,
            record.Epoch,
            record.State.ToString().ToLowerInvariant(),
            record.Number,
            record.Step,
            record.Parent?.ToString(),
            record.SizeBytes,
            record.ChunkCount,
            record.Metrics,
            record.CompletedAt
        );
}
