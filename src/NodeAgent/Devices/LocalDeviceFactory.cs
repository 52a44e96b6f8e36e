using System.Runtime.InteropServices;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Kernels.Drivers;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Hosting;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Measuring;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Training;
using EgpuFleet.NodeAgent.Tuning;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.Logging;
using DeviceKind = EgpuFleet.Kernels.Drivers.DeviceKind;
using FleetDeviceKind = EgpuFleet.Grains.Interfaces.Fleet.DeviceKind;

namespace EgpuFleet.NodeAgent.Devices;

/// <summary>Puts a device together from what its driver found.</summary>
internal sealed class LocalDeviceFactory(
    AgentOptions options,
    DataFolder data,
    NodeCredential credential,
    GatewayDownloads downloads,
    ModelCache cache,
    ModelShelf shelf,
    ReportQueue reports,
    FleetTunings tunings,
    IHttpClientFactory clients,
    SleepWatch watch,
    TimeProvider time,
    ChangeSignal changes,
    CrashGuard guard,
    ILoggerFactory loggers
)
{
    public LocalDevice Create(DeviceDescription description)
    {
        var choice = EnginePolicy.Choose(description, options);
        var memory = new DeviceMemory(DeviceMemory.Planned(description, options, SharesWithGpu));
        var bringUp = new BringUp(time, changes);
        var facts = FactsOf(description, choice, memory);
        var supervisor = SupervisorOf(choice, facts, memory, bringUp);
        var tuned = choice.Engine == TinygradSettings.Engine ? tunings : null;
        var models = new LoadedModels(
            cache,
            shelf,
            options.Threads,
            memory,
            bringUp,
            tuned,
            time,
            changes,
            loggers.CreateLogger<LoadedModels>()
        );
        var meter = new ThroughputMeter(time);
        var live = new LiveSpeeds(time);
        var generator = new Generator(meter, live, time);
        var tune = new TuneItem(tuned, meter, bringUp, time);
        var train = Train(description, choice, facts, supervisor, models, meter, bringUp);
        var items = new ShardItems(supervisor, models, generator, tune, train, time);
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
        var book = new SpeedBook(Path.Combine(data.Worker(facts.Device.Name), "speed.json"));
        var timer = new ShapeTimer(facts, models, data.Worker(facts.Device.Name), time);
        var measuring = options.Measure ? Measuring(facts, supervisor, timer, meter, book) : null;
        return new LocalDevice(
            facts,
            memory,
            bringUp,
            supervisor,
            models,
            shards,
            generator,
            meter,
            live,
            watch,
            book,
            measuring,
            Bench(facts, supervisor, timer, meter, book),
            time,
            changes
        );
    }

    private WorkerSupervisor SupervisorOf(EngineChoice choice, DeviceFacts facts, DeviceMemory memory, BringUp bringUp)
    {
        var name = facts.Device.Name;
        var launcher = new WorkerLauncher(
            data.Worker(name),
            // Asked at each start: what an engine needs may have been installed since.
            () => EngineWorkers.CommandOf(choice, options),
            credential.ForWorker(name),
            time,
            loggers.CreateLogger<WorkerLauncher>()
        );
        return new WorkerSupervisor(
            name,
            choice.Refusal is { } reason ? WorkerLife.OfUnusable(reason) : WorkerLife.New,
            launcher,
            memory,
            bringUp,
            time,
            changes,
            loggers.CreateLogger<WorkerSupervisor>(),
            new DevicePatience(options.StepTimeout),
            // A processor takes no machine down.
            facts.Kind == FleetDeviceKind.Cpu
                ? null
                : guard
        );
    }

    private TrainItem Train(
        DeviceDescription description,
        EngineChoice choice,
        DeviceFacts facts,
        WorkerSupervisor supervisor,
        LoadedModels models,
        ThroughputMeter meter,
        BringUp bringUp
    )
    {
        var gateway = new TrainingGateway(clients, time);
        return new TrainItem(
            SeatsOf(EngineWorkers.TrainEngineOf(description, choice, options), choice, facts, supervisor),
            new TrainingFolder(Path.Combine(data.Worker(facts.Device.Name), "training")),
            new TrainingInputs(cache, downloads, bringUp, options.Threads),
            gateway,
            new TrainingAttempts(gateway, reports, models, bringUp, time),
            meter,
            time
        );
    }

    /// <summary>In the device's own worker where its engine trains, else in a process of its own.</summary>
    private ITrainingSeats? SeatsOf(string? engine, EngineChoice choice, DeviceFacts facts, WorkerSupervisor supervisor)
    {
        if (engine is null || engine == choice.Engine)
            return engine is null ? null : new DeviceSeats(engine, supervisor, time);
        var name = $"{facts.Device.Name}-{engine}";
        var launcher = new WorkerLauncher(
            data.Worker(name),
            () => EngineWorkers.CommandOf(choice with { Engine = engine }, options),
            credential.ForWorker(name),
            time,
            loggers.CreateLogger<WorkerLauncher>()
        );
        return new OwnSeats(engine, launcher, time);
    }

    private IdleMeasuring Measuring(
        DeviceFacts facts,
        WorkerSupervisor supervisor,
        ShapeTimer timer,
        ThroughputMeter meter,
        SpeedBook book
    ) => new(facts, supervisor, timer, meter, book, time, changes, loggers.CreateLogger<IdleMeasuring>());

    private DeviceBench Bench(
        DeviceFacts facts,
        WorkerSupervisor supervisor,
        ShapeTimer timer,
        ThroughputMeter meter,
        SpeedBook book
    ) =>
        new(
            facts,
            supervisor,
            timer,
            meter,
            book,
            Limits.LongestShape,
            time,
            changes,
            loggers.CreateLogger<DeviceBench>()
        );

    private static bool SharesWithGpu =>
        OperatingSystem.IsMacOS() && RuntimeInformation.OSArchitecture == Architecture.Arm64;

    private DeviceFacts FactsOf(DeviceDescription description, EngineChoice choice, DeviceMemory memory)
    {
        var isCpu = description.Kind == DeviceKind.Cpu;
        return new DeviceFacts(
            new DeviceId(options.Node, description.Name),
            KindOf(description.Kind),
            description.Model,
            choice.Engine,
            isCpu ? options.Threads : 0,
            memory.Bytes,
            isCpu ? Limits.NoopSlots : 0,
            EngineWorkers.TrainEngineOf(description, choice, options)
        );
    }

    private static FleetDeviceKind KindOf(DeviceKind kind) =>
        kind switch
        {
            DeviceKind.Cpu => FleetDeviceKind.Cpu,
            DeviceKind.AppleGpu => FleetDeviceKind.AppleGpu,
            DeviceKind.ExternalGpu => FleetDeviceKind.ExternalGpu,
            DeviceKind.LinuxGpu => FleetDeviceKind.LinuxGpu,
            _ => throw new ArgumentException($"No such kind of device: {kind}", nameof(kind)),
        };
}
