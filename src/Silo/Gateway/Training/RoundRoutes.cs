using EgpuFleet.Grains.Interfaces;
using Microsoft.AspNetCore.Mvc;

namespace EgpuFleet.Silo.Gateway.Training;

/// <summary>Rounds of data parallel training: what their members call.</summary>
public static class RoundRoutes
{
    public static void AddTrainingRounds(this IServiceCollection services) => services.AddSingleton<RoundCalls>();

    public static void MapTrainingRounds(this IEndpointRouteBuilder routes)
    {
        var all = routes.MapGroup(InternalRoutes.TrainingRounds).ExcludeFromDescription();
        var withManifest = new RequestSizeLimitAttribute(Limits.ManifestBytes);
        var small = new RequestSizeLimitAttribute(Limits.InternalBodyBytes);
        all.MapPost(
                "begin",
                (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.BeginAsync(request, token)
            )
            .WithMetadata(withManifest);
        all.MapPost(
                "join",
                (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.JoinAsync(request, token)
            )
            .WithMetadata(small);
        all.MapPost(
                "take",
                (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.TakeAsync(request, token)
            )
            .WithMetadata(small);
        all.MapPost(
                "contribute",
                (HttpRequest request, RoundCalls calls, CancellationToken token) =>
                    calls.ContributeAsync(request, token)
            )
            .WithMetadata(withManifest);
        all.MapGet(
            "next",
            (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.NextAsync(request, token)
        );
        all.MapGet(
            "weights",
            (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.SendWeightsAsync(request, token)
        );
        all.MapGet(
            "manifest",
            (HttpRequest request, RoundCalls calls, CancellationToken token) => calls.ManifestAsync(request, token)
        );
    }
}
