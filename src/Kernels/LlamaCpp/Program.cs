using EgpuFleet.Kernels.Engines;
using EgpuFleet.Kernels.LlamaCpp;
using EgpuFleet.Kernels.Protocol;
using Microsoft.Extensions.Logging;

using var loggers = LoggerFactory.Create(logging =>
    logging
        .AddSimpleConsole(console => console.SingleLine = true)
        .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
);
await using var engine = new LlamaEngine(Environment.GetEnvironmentVariable(LlamaCppSettings.DeviceVariable));
return await WorkerProgram.RunAsync(args, engine, loggers);
