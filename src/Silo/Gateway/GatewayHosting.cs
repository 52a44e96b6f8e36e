using System.Net;
using EgpuFleet.Api;
using EgpuFleet.Dashboard;
using EgpuFleet.Silo.Gateway.Checkpoints;
using EgpuFleet.Silo.Gateway.FineTuning;
using EgpuFleet.Silo.Gateway.Health;
using EgpuFleet.Silo.Gateway.Native;
using EgpuFleet.Silo.Gateway.Native.Bulk;
using EgpuFleet.Silo.Gateway.OpenAi;
using EgpuFleet.Silo.Gateway.OpenAi.Files;
using EgpuFleet.Silo.Gateway.Training;
using EgpuFleet.Silo.Membership;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace EgpuFleet.Silo.Gateway;

/// <summary>The REST gateway: what it needs, and every route it has.</summary>
public static class GatewayHosting
{
    public static void AddGateway(this WebApplicationBuilder builder, int port)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 2 * Limits.CompletionBodyBytes;
            kestrel.Limits.MaxConcurrentConnections = Limits.Connections;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        // A request is read, answered and written on one thread after the other, never on two at once: no code here blocks.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        var services = builder.Services;
        services.ConfigureHttpJsonOptions(options => ApiJson.Configure(options.SerializerOptions));
        services.AddOpenApi();
        services.AddFleetDashboard();
        services.AddSingleton<Fleet>();
        services.AddSingleton<ModelLookup>();
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<JobViews>();
        services.AddSingleton<JobEvents>();
        services.AddSingleton<JobReasons>();
        services.AddSingleton<SubmitJob>();
        services.AddSingleton<BulkSubmit>();
        services.AddSingleton<FleetPicture>();
        services.AddSingleton<DeviceOrdering>();
        services.AddSingleton<ModelStore>();
        services.AddSingleton<ModelReading>();
        services.AddSingleton<ModelUpload>();
        services.AddSingleton<Generations>();
        services.AddSingleton<Completions>();
        services.AddSingleton<Embeddings>();
        services.AddSingleton<FileUpload>();
        services.AddFineTuning();
        services.AddSingleton<TrainedModels>();
        services.AddSingleton<TrainingResultRoute>();
        services.AddSingleton<RememberedNodes>();
        services.AddSingleton<NodeAuthentication>();
        services.AddSingleton<Enrolment>();
        services.AddSingleton<MembershipProxy>();
        services.AddCheckpointPath();
        services.AddTrainingRounds();
    }

    public static void MapGateway(this WebApplication app, int port)
    {
        ArgumentNullException.ThrowIfNull(app);
        app.UseMiddleware<ErrorBoundary>();
        app.UseMiddleware<RequestGuard>(port);
        app.UseWhen(IsLong, longOnes => longOnes.UseMiddleware<EndsWithHost>());
        app.UseRouting();
        app.MapHealth();
        app.MapJobs();
        app.MapFleet();
        app.MapModels();
        app.MapTunings();
        app.MapCheckpoints();
        app.MapOpenAi();
        app.MapFiles();
        app.MapFineTuning();
        app.MapInternal();
        app.MapCheckpointPath();
        app.MapTrainingRounds();
        app.MapOpenApi();
        app.MapPrometheusScrapingEndpoint();
        app.MapFleetDashboard();
    }

    private static bool IsLong(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/v1", StringComparison.Ordinal)
        || context.Request.Path.Value!.EndsWith("/events", StringComparison.Ordinal);
}
