using System.Runtime.InteropServices;
using EgpuFleet.Benchmarks.Checkpoints;
using EgpuFleet.Benchmarks.Engine;
using EgpuFleet.Benchmarks.Faults;
using EgpuFleet.Benchmarks.Processes;
using EgpuFleet.Benchmarks.Queue;
using EgpuFleet.Benchmarks.Training;
using EgpuFleet.Cli.CommandLine;
using EgpuFleet.Cli.Terminal;
using EgpuFleet.Cli.Verbs;

// Ctrl-C, a polite kill and a closed terminal: stop what was started, remove what was written, end.
using var stop = new CancellationTokenSource();
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
var clock = TimeProvider.System;
var console = FleetConsole.System(json: false);
try
{
    switch (args)
    {
        case [QueueBench.Verb, var queue]:
            var settings = QueueBench.FromJson(queue);
            var isGood = await new QueueBenchmark(settings, console, clock).RunAsync(stop.Token);
            return isGood || !settings.Check ? ExitCodes.Ok : ExitCodes.Failed;
        case [CheckpointBench.Verb, var checkpoint]:
            return await CheckpointBenchmark.ExitCodeAsync(checkpoint, console, clock, stop.Token);
        case [EngineBench.Verb, var engine]:
            return await EngineBenchmark.ExitCodeAsync(engine, console, clock, stop.Token);
        case [TrainBench.Verb, var train]:
            return await TrainBenchmark.ExitCodeAsync(train, console, clock, stop.Token);
        case [DilocoBench.Verb, var diloco]:
            return await DilocoBenchmark.ExitCodeAsync(diloco, console, clock, stop.Token);
        case [FaultBench.Recovery or FaultBench.Chaos or FaultBench.Survival or FaultBench.Soak, var json]:
            var bench = new FaultBenchmarks(FaultBench.FromJson(json), console, clock);
            return await bench.RunAsync(args[0], stop.Token) ? ExitCodes.Ok : ExitCodes.Failed;
        case [var verb] when await ChildVerbs.RunAsync(verb, clock, stop.Token):
            return ExitCodes.Ok;
        default:
            await Console.Error.WriteLineAsync("This program is run by ./fleet bench.");
            return ExitCodes.Usage;
    }
}
catch (FleetFailure e)
{
    await Console.Error.WriteLineAsync(e.Message);
    if (e.Action is { } action)
        await Console.Error.WriteLineAsync(action);
    return e.ExitCode;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    await Console.Error.WriteLineAsync("Stopped; nothing was left running.");
    return ExitCodes.Failed;
}
catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCodes.Failed;
}
