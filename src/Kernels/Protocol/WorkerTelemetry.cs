using System.Diagnostics;
using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace EgpuFleet.Kernels.Protocol;

/// <summary>Traces of a worker: each request is a child of the caller's span, exported by OTLP where an endpoint is configured.</summary>
public static class WorkerTelemetry
{
    public const string SourceName = "EgpuFleet.Worker";
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>A worker may be killed at any moment: what it has seen leaves it soon.</summary>
    private const int BatchDelayMilliseconds = 200;

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The exporter, which flushes when disposed; null where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is not set.</summary>
    public static IDisposable? Export(Engines.EngineIdentity engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)))
            return null;
        return Sdk.CreateTracerProviderBuilder()
            .ConfigureResource(resource =>
                resource
                    .AddService("egpufleet-worker", serviceInstanceId: Instance())
                    .AddAttributes([new("egpufleet.engine", engine.Name), new("process.pid", Environment.ProcessId)])
                    .AddEnvironmentVariableDetector()
            )
            .AddSource(SourceName)
            .AddOtlpExporter(exporter =>
                exporter.BatchExportProcessorOptions.ScheduledDelayMilliseconds = BatchDelayMilliseconds
            )
            .Build();
    }

    internal static Activity? StartRequest(WorkerVerb verb, string? traceparent)
    {
        _ = ActivityContext.TryParse(traceparent, null, isRemote: true, out var parent);
        return Source.StartActivity(Name(verb), ActivityKind.Server, parent);
    }

    private static string Name(WorkerVerb verb) =>
        verb switch
        {
            WorkerVerb.Generate => "worker generate",
            WorkerVerb.Load => "worker load",
            WorkerVerb.WarmUp => "worker warm_up",
            WorkerVerb.SelfTest => "worker self_test",
            WorkerVerb.Unload => "worker unload",
            WorkerVerb.TrainOpen => "worker train_open",
            WorkerVerb.TrainStep => "worker train_step",
            WorkerVerb.TrainSave => "worker train_save",
            _ => "worker request",
        };

    private static string Instance() => Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
}
