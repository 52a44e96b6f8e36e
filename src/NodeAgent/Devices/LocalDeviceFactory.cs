using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Measuring;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;
using FleetDeviceKind = EgpuFleet.Grains.Interfaces.Fleet.DeviceKind;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Puts a device together from what its driver found.</summary>
internal sealed class LocalDeviceFactory(
    AgentOptions options,
    DataFolder data,
    NodeCredential credential,
    ModelCache cache,
    ModelShelf shelf,
    ReportQueue reports,
    SleepWatch watch,
    TimeProvider time,
    ChangeSignal changes,
    ILoggerFactory loggers
)
{
    private const string Engine = "llama.cpp";

    private const string WorkerExecutable = "EgpuFleet.Kernels.LlamaCpp";

    public LocalDevice Create(DeviceDescription description)
    {
        var facts = FactsOf(description);
        var name = facts.Device.Name;
        var launcher = new WorkerLauncher(
            data.Worker(name),
            Path.Combine(options.EngineDir, "llamacpp", WorkerExecutable),
            credential.ForWorker(name),
            time,
            loggers.CreateLogger<WorkerLauncher>()
        );
        var supervisor = new WorkerSupervisor(
            name,
            launcher,
            time,
            changes,
            loggers.CreateLogger<WorkerSupervisor>(),
            new DevicePatience(options.StepTimeout)
        );
        var models = new LoadedModels(
            cache,
            shelf,
            facts.Threads,
            facts.MemoryBytes,
            time,
            changes,
            loggers.CreateLogger<LoadedModels>()
        );
        var meter = new ThroughputMeter(time);
        var live = new LiveSpeeds(time);
        var generator = new Generator(meter, live, time);
        var items = new ShardItems(supervisor, models, generator, time);
        var noops = new NoopShards(reports, time, loggers.CreateLogger<NoopShards>());
        var shards = new ShardRunner(
            facts,
            supervisor,
            items,
            noops,
            reports,
            watch,
            time,
            changes,
            loggers.CreateLogger<ShardRun>()
        );
        var book = new SpeedBook(Path.Combine(data.Worker(name), "speed.json"));
        var measuring = options.Measure ? Measuring(facts, supervisor, models, meter, book) : null;
        return new LocalDevice(facts, supervisor, models, shards, generator, meter, live, watch, book, measuring);
    }

    private IdleMeasuring Measuring(
        DeviceFacts facts,
        WorkerSupervisor supervisor,
        LoadedModels models,
        ThroughputMeter meter,
        SpeedBook book
    ) =>
        new(
            facts,
            supervisor,
            models,
            meter,
            book,
            data.Worker(facts.Device.Name),
            time,
            changes,
            loggers.CreateLogger<IdleMeasuring>()
        );

    private DeviceFacts FactsOf(DeviceDescription description)
    {
        // Numbered, so that a second device of a kind has a name to take.
        var id = new DeviceId(options.Node, $"{description.Name}0");
        // Several agents of one machine share its memory as they share its threads.
        var share = Limits.MemoryShare * Math.Min(1.0, (double)options.Threads / description.CoreCount);
        var memoryBytes = options.MemoryBytes ?? (long)(description.TotalMemoryBytes * share);
        return new DeviceFacts(
            id,
            FleetDeviceKind.Cpu,
            description.Model,
            Engine,
            options.Threads,
            memoryBytes,
            Limits.NoopSlots
        );
    }
}
