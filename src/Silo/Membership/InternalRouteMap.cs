using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Silo.Gateway;
using EgpuFleet.Silo.Gateway.FineTuning;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Gateway.OpenAi.Files;
using EgpuFleet.Silo.Postgres.Files;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Membership;

/// <summary>What agents call: enrolment, the membership table, model files. Not part of the public API document.</summary>
public static class InternalRouteMap
{
    public static void MapInternal(this IEndpointRouteBuilder routes)
    {
        var all = routes.MapGroup("").ExcludeFromDescription();
        all.WithMetadata(new RequestSizeLimitAttribute(Limits.InternalBodyBytes));
        all.MapPost(InternalRoutes.Nodes, (HttpRequest request, Enrolment enrolment) => enrolment.HandleAsync(request));
        var table = all.MapGroup(InternalRoutes.Membership);
        table.MapGet("", (HttpRequest request, MembershipProxy proxy) => proxy.ReadAllAsync(request));
        table.MapGet(
            "{silo}",
            (HttpRequest request, string silo, MembershipProxy proxy) => proxy.ReadRowAsync(request, silo)
        );
        table.MapPost("insert", (HttpRequest request, MembershipProxy proxy) => proxy.InsertAsync(request));
        table.MapPost("update", (HttpRequest request, MembershipProxy proxy) => proxy.UpdateAsync(request));
        table.MapPost("alive", (HttpRequest request, MembershipProxy proxy) => proxy.AliveAsync(request));
        all.MapGet(InternalRoutes.Models + "/{sha256}", SendModelAsync);
        all.MapGet(InternalRoutes.Files + "/{id}/content", SendFileAsync);
        all.MapPost(
            InternalRoutes.TrainingNotes,
            (HttpRequest request, TrainingNoteRoute notes, CancellationToken token) => notes.HandleAsync(request, token)
        );
        all.MapPost(
            InternalRoutes.TrainingResult,
            (HttpRequest request, TrainingResultRoute results, CancellationToken token) =>
                results.HandleAsync(request, token)
        );
    }

    private static async Task<IResult> SendFileAsync(
        HttpRequest request,
        string id,
        NodeAuthentication nodes,
        FileTables files,
        CancellationToken cancellationToken
    )
    {
        await nodes.RequireAsync(request);
        var file = await FileAnswers.RequireAsync(files, id, tenant: null, cancellationToken);
        return FileAnswers.Content(files, file, name: null);
    }

    private static async Task<IResult> SendModelAsync(
        HttpRequest request,
        string sha256,
        NodeAuthentication nodes,
        ModelStore store
    )
    {
        await nodes.RequireAsync(request);
        var path = store.Find(sha256) ?? throw GatewayException.NotFound("No model file has this hash.");
        return Results.File(path, "application/octet-stream", enableRangeProcessing: true);
    }
}
