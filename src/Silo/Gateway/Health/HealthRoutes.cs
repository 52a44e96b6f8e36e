using EgpuFleet.Api;

namespace EgpuFleet.Silo.Gateway.Health;

/// <summary>Health for supervisors, for people, and in the shape that llama-server's users poll.</summary>
public static class HealthRoutes
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        var health = routes.MapGroup("").WithTags("health");
        health.MapGet(Routes.Live, () => new HealthInfo("ok")).WithSummary("The process answers");
        health.MapGet(Routes.Ready, ReadyAsync).Produces<ReadyInfo>().WithSummary("The fleet can take work");
        health.MapGet("/health", HealthAsync).ExcludeFromDescription();
        health.MapGet("/v1/health", HealthAsync).ExcludeFromDescription();
    }

    private static async Task<IResult> ReadyAsync(Readiness readiness, CancellationToken cancellationToken)
    {
        var ready = await readiness.CheckAsync(cancellationToken);
        var status = ready.Status == "ok" ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return Results.Json(ready, ApiJson.Options, statusCode: status);
    }

    private static async Task<HealthInfo> HealthAsync(Readiness readiness, CancellationToken cancellationToken)
    {
        var ready = await readiness.CheckAsync(cancellationToken);
        var missing = ready.Checks.FirstOrDefault(check => !check.Ok);
        return missing is null
            ? new HealthInfo("ok")
            : throw GatewayException.Unavailable("not_ready", $"{missing.Name}: {missing.Detail}");
    }
}

/// <summary>The shortest answer there is.</summary>
public sealed record HealthInfo(string Status);
