using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EgpuFleet.Silo.Hosting;

/// <summary>
/// Traces from the HTTP request through grains to the database, and metrics: as Prometheus text at <c>/metrics</c> always,
/// both by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says so. Health probes leave no trace.
/// </summary>
public static class Telemetry
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddFleetTelemetry(this IServiceCollection services, string siloName)
    {
        var exported = Environment.GetEnvironmentVariable(Endpoint) is { Length: > 0 };
        var telemetry = services
            .AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("egpufleet-silo", serviceInstanceId: siloName))
            .WithMetrics(metrics => AddMetrics(metrics, exported));
        // Traces that go nowhere are not made: they would cost every request and every call between grains.
        if (exported)
            telemetry.WithTracing(AddTraces);
    }

    private static void AddTraces(TracerProviderBuilder tracing)
    {
        tracing
            .AddSource("EgpuFleet.*", "Microsoft.Orleans.*")
            .AddAspNetCoreInstrumentation(options => options.Filter = IsWorthATrace)
            .AddNpgsql()
            .AddOtlpExporter();
    }

    private static void AddMetrics(MeterProviderBuilder metrics, bool exported)
    {
        metrics
            .AddMeter("EgpuFleet.*", "Microsoft.Orleans", "Npgsql")
            .AddAspNetCoreInstrumentation()
            .AddRuntimeInstrumentation()
            .AddPrometheusExporter();
        if (exported)
            metrics.AddOtlpExporter();
    }

    private static bool IsWorthATrace(HttpContext context) =>
        !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
        && !context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal);
}
