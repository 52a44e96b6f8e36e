using System.Runtime.InteropServices;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.Kernels.Tinygrad;
using EgpuFleet.Kernels.Tinygrad.Child;
using Microsoft.Extensions.Logging;

using var loggers = LoggerFactory.Create(logging =>
    logging
        .AddSimpleConsole(console => console.SingleLine = true)
        .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
);
await using var engine = new TinygradEngine(ChildLaunch.FromEnvironment());
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, _ => engine.Stop());
return await WorkerProgram.RunAsync(args, engine, loggers, engine.Broken);
