using System.Net;
using EgpuFleet.Api;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.Native;

/// <summary>Models: list, look at, register.</summary>
public static class ModelRoutes
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup(Routes.Models).WithTags("models");
        models.MapGet("", ListAsync).Produces<Page<ModelInfo>>().WithSummary("All registered models");
        models.MapGet("{name}", GetAsync).Produces<ModelInfo>().WithSummary("One model");
        models
            .MapPut(
                "{name}",
                (string name, HttpContext context, ModelUpload upload) => upload.HandleAsync(name, context)
            )
            .WithMetadata(new RequestSizeLimitAttribute(Limits.ModelBytes))
            .Produces<ModelInfo>()
            .Produces<ModelInfo>(StatusCodes.Status201Created)
            .WithSummary("Register a GGUF file under a name");
    }

    private static async Task<Page<ModelInfo>> ListAsync(Fleet fleet)
    {
        var models = await fleet.Models.List();
        return Pages.Of([.. models.Select(FleetViews.Show)], model => model.Name);
    }

    private static async Task<ModelInfo> GetAsync(string name, ModelLookup models) =>
        FleetViews.Show(await models.RequireAsync(name, HttpStatusCode.NotFound));
}
