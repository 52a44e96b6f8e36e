using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EgpuFleet.NodeAgent.Hosting;

/// <summary>Traces of the agent; exported where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says, else nowhere.</summary>
internal static class AgentTelemetry
{
    public const string SourceName = "EgpuFleet.Agent";

    public static ActivitySource Source { get; } = new(SourceName);

    public static IServiceCollection AddAgentTelemetry(this IServiceCollection services, AgentOptions options)
    {
        var telemetry = services
            .AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService("egpufleet-agent", serviceInstanceId: options.Node.Value)
            )
            .WithTracing(tracing =>
                tracing
                    .AddSource(SourceName)
                    .AddSource("Microsoft.Orleans.Runtime")
                    .AddSource("Microsoft.Orleans.Application")
            );
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
            telemetry.WithTracing(tracing => tracing.AddOtlpExporter());
        return services;
    }
}
