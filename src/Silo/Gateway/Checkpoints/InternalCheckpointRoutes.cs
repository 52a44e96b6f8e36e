using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Checkpoints;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.Checkpoints;

/// <summary>The data path of checkpoints: what agents, which have no route to the database, call.</summary>
public static class InternalCheckpointRoutes
{
    public static void AddCheckpointPath(this IServiceCollection services)
    {
        services.AddSingleton<CheckpointWrites>();
        services.AddSingleton<CheckpointReads>();
    }

    public static void MapCheckpointPath(this IEndpointRouteBuilder routes)
    {
        var all = routes.MapGroup(InternalRoutes.Checkpoints).ExcludeFromDescription();
        MapWrites(all);
        MapReads(all);
    }

    private static void MapWrites(RouteGroupBuilder all)
    {
        // Who is a little too large is read to the end, and sees the refusal instead of a reset connection.
        var small = new RequestSizeLimitAttribute(2 * Limits.InternalBodyBytes);
        all.MapPost(
                "",
                (HttpRequest request, CheckpointWrites writes, CancellationToken token) =>
                    writes.OpenAsync(request, token)
            )
            .WithMetadata(small);
        all.MapPost(
                "{id}/announce",
                (HttpRequest request, string id, CheckpointWrites writes, CancellationToken token) =>
                    writes.AnnounceAsync(request, id, token)
            )
            .WithMetadata(small);
        all.MapPut(
                "{id}/chunks",
                (HttpRequest request, string id, CheckpointWrites writes, CancellationToken token) =>
                    writes.StoreAsync(request, id, token)
            )
            .WithMetadata(new RequestSizeLimitAttribute(2 * CheckpointLimits.BatchBytes));
        all.MapPost(
                "{id}/complete",
                (HttpRequest request, string id, CheckpointWrites writes, CancellationToken token) =>
                    writes.CompleteAsync(request, id, token)
            )
            .WithMetadata(new RequestSizeLimitAttribute(Limits.ManifestBytes));
    }

    private static void MapReads(RouteGroupBuilder all)
    {
        all.MapGet(
            "latest",
            (HttpRequest request, CheckpointReads reads, CancellationToken token) => reads.LatestAsync(request, token)
        );
        all.MapGet(
            "{id}",
            (HttpRequest request, string id, CheckpointReads reads, CancellationToken token) =>
                reads.GetAsync(request, id, token)
        );
        all.MapGet(
            "{id}/data",
            (HttpRequest request, string id, CheckpointReads reads, CancellationToken token) =>
                reads.SendAsync(request, id, token)
        );
        all.MapPost(
            "{id}/verify",
            (HttpRequest request, string id, CheckpointReads reads, CancellationToken token) =>
                reads.VerifyAsync(request, id, token)
        );
    }
}
