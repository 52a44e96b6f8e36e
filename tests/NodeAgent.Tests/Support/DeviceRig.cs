using System.Diagnostics;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Serving;
using EgpuFleet.Kernels.Protocol;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Execution;
using EgpuFleet.NodeAgent.Joining;
using EgpuFleet.NodeAgent.Measuring;
using EgpuFleet.NodeAgent.Models;
using EgpuFleet.NodeAgent.Training;
using EgpuFleet.NodeAgent.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using DeviceKind = EgpuFleet.Grains.Interfaces.Fleet.DeviceKind;

namespace EgpuFleet.NodeAgent.Tests.Support;

/// <summary>One whole device with a real worker process and models already on disk; only the pool is recorded.</summary>
internal sealed class DeviceRig : IAsyncDisposable
{
    private readonly TempFolder folder = new();
    private readonly ServiceProvider services;
    private readonly CancellationTokenSource stopping = new();
    private readonly GatewayDownloads downloads;
    private readonly ModelCache cache;
    private readonly SpeedBook book;
    private readonly Task running;

    private DeviceRig(long memoryBytes, byte[][] models)
    {
        var credential = NodeCredential.ReadOrCreate(folder.At("node.credential"));
        services = new ServiceCollection()
            .AddGatewayHttp([new Uri("http://127.0.0.1:9")], credential)
            .BuildServiceProvider();
        var time = TimeProvider.System;
        var shelf = new ModelShelf(folder.At("models"), long.MaxValue, time);
        foreach (var model in models)
            File.WriteAllBytes(shelf.PathOf(Stories.Record(model).Ref.Sha256), model);
        downloads = new GatewayDownloads(
            services.GetRequiredService<IHttpClientFactory>(),
            time,
            NullLogger<GatewayDownloads>.Instance
        );
        cache = new ModelCache(downloads, shelf, NullLogger<ModelCache>.Instance);
        var facts = Facts(memoryBytes);
        var memory = new DeviceMemory(memoryBytes);
        var bringUp = new BringUp(time, Changes);
        var supervisor = Supervisor(credential, memory, bringUp);
        var loaded = new LoadedModels(
            cache,
            shelf,
            1,
            memory,
            bringUp,
            tunings: null,
            time,
            Changes,
            NullLogger<LoadedModels>.Instance
        );
        var live = new LiveSpeeds(time);
        var generator = new Generator(Meter, live, time);
        var items = Items(supervisor, loaded, generator, bringUp);
        Watch = new SleepWatch(Clock, time);
        var shards = Shards(facts, supervisor, items);
        book = new SpeedBook(folder.At("speed.json"));
        Bench = BenchOf(facts, supervisor, loaded);
        Device = new LocalDevice(
            facts,
            memory,
            bringUp,
            supervisor,
            loaded,
            shards,
            generator,
            Meter,
            live,
            Watch,
            book,
            measuring: null,
            Bench,
            time,
            Changes
        );
        running = Task.Run(() => supervisor.RunAsync(stopping.Token));
    }

    private ShardItems Items(WorkerSupervisor supervisor, LoadedModels loaded, Generator generator, BringUp bringUp)
    {
        var time = TimeProvider.System;
        var tune = new TuneItem(tunings: null, Meter, bringUp, time);
        return new ShardItems(supervisor, loaded, generator, tune, Train(loaded, bringUp), time);
    }

    /// <summary>The device has no engine that trains.</summary>
    private TrainItem Train(LoadedModels loaded, BringUp bringUp)
    {
        var time = TimeProvider.System;
        var clients = services.GetRequiredService<IHttpClientFactory>();
        var gateway = new TrainingGateway(clients, time);
        var queue = new ReportQueue(Reports, time, NullLogger<ReportQueue>.Instance);
        return new TrainItem(
            seats: null,
            new TrainingFolder(folder.At("training")),
            new TrainingInputs(cache, downloads, bringUp, threads: 1),
            gateway,
            new TrainingAttempts(gateway, queue, loaded, bringUp, time),
            Meter,
            time
        );
    }

    private DeviceBench BenchOf(DeviceFacts facts, WorkerSupervisor supervisor, LoadedModels loaded) =>
        new(
            facts,
            supervisor,
            new ShapeTimer(facts, loaded, folder.At(), TimeProvider.System),
            Meter,
            book,
            TimeSpan.Zero,
            TimeProvider.System,
            Changes,
            NullLogger<DeviceBench>.Instance
        );

    private ShardRunner Shards(DeviceFacts facts, WorkerSupervisor supervisor, ShardItems items)
    {
        var time = TimeProvider.System;
        var queue = new ReportQueue(Reports, time, NullLogger<ReportQueue>.Instance);
        var noops = new NoopShards(queue, Patience, NullLogger<NoopShards>.Instance);
        return new ShardRunner(
            facts,
            supervisor,
            items,
            noops,
            queue,
            Watch,
            time,
            Changes,
            NullLogger<ShardRun>.Instance
        );
    }

    public static TimeSpan LeaseDuration { get; } = TimeSpan.FromSeconds(10);

    public LocalDevice Device { get; }

    /// <summary>Measures the device when it is asked to and a test lets it run; no wide shape is quick enough for it.</summary>
    public DeviceBench Bench { get; }

    public ThroughputMeter Meter { get; } = new(TimeProvider.System);

    /// <summary>Time by which a worker owes the answers of no-ops.</summary>
    public FakeTimeProvider Patience { get; } = new();

    public TestClock Clock { get; } = new();

    public SleepWatch Watch { get; }

    public RecordedReports Reports { get; } = new();

    public ChangeSignal Changes { get; } = new();

    private static DeviceFacts Facts(long memoryBytes) =>
        new(Leases.Device, DeviceKind.Cpu, "test", "llama.cpp", 1, memoryBytes, NodeAgent.Limits.NoopSlots);

    private WorkerSupervisor Supervisor(NodeCredential credential, DeviceMemory memory, BringUp bringUp)
    {
        // The worker inherits it: its no-ops obey the faults that tests ask for.
        Environment.SetEnvironmentVariable(WorkerLaunch.NoopFaultsVariable, "1");
        var launcher = new WorkerLauncher(
            folder.At("workers", "cpu0"),
            () => new WorkerCommand(Engines.Worker, new Dictionary<string, string>(StringComparer.Ordinal)),
            credential.ForWorker("cpu0"),
            TimeProvider.System,
            NullLogger<WorkerLauncher>.Instance
        );
        return new WorkerSupervisor(
            "cpu0",
            WorkerLife.New,
            launcher,
            memory,
            bringUp,
            TimeProvider.System,
            Changes,
            NullLogger<WorkerSupervisor>.Instance
        );
    }

    /// <summary>A device whose worker is ready.</summary>
    public static async Task<DeviceRig> StartAsync(long memoryBytes = 1L << 30, params byte[][] models)
    {
        var rig = new DeviceRig(memoryBytes, models.Length == 0 && Stories.IsThere ? [Stories.Bytes()] : models);
        await rig.UntilAsync(status => status.State == DeviceState.Ready);
        return rig;
    }

    /// <summary>What measures the device, and the time by which it has been idle.</summary>
    public (IdleMeasuring Measuring, FakeTimeProvider Time) Measuring()
    {
        var time = new FakeTimeProvider { AutoAdvanceAmount = TimeSpan.FromMilliseconds(1) };
        var measuring = new IdleMeasuring(
            Device.Facts,
            Device.Supervisor,
            new ShapeTimer(Device.Facts, Device.Models, folder.At(), time),
            Meter,
            book,
            time,
            Changes,
            NullLogger<IdleMeasuring>.Instance
        );
        return (measuring, time);
    }

    /// <summary>Returns at the first change after which the device's status is as wanted.</summary>
    public async Task<DeviceStatus> UntilAsync(Func<DeviceStatus, bool> wanted)
    {
        while (true)
        {
            var status = Device.Status();
            if (wanted(status))
                return status;
            Assert.NotEqual(DeviceState.Quarantined, status.State);
            await Changes.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public static ShardAssignment Assignment(
        IEnumerable<BatchItem> items,
        int maxTokens = 64,
        int shard = 0,
        int epoch = 1,
        ModelRecord? model = null
    ) =>
        new(
            Leases.Key(shard, epoch),
            LeaseDuration,
            model ?? Stories.Record(Stories.Bytes()),
            Parameters(maxTokens),
            [.. items],
            TraceParent: null
        );

    public static ShardAssignment Noop(
        int shard,
        int epoch = 1,
        int items = 1,
        int milliseconds = 0,
        NoopFault fault = NoopFault.None
    ) =>
        new(
            Leases.Key(shard, epoch),
            LeaseDuration,
            Model: null,
            Generation: null,
            [.. Enumerable.Range(shard, items).Select(i => new BatchItem(i, $"item-{i}", $"payload {i}", null))],
            TraceParent: null,
            JobKind.Noop,
            new NoopParameters(milliseconds, fault)
        );

    public static GenerationParameters Parameters(int maxTokens) => new(maxTokens, 0, 1, 0, 1, []);

    public static IEnumerable<BatchItem> Prompts(int count) =>
        Enumerable.Range(0, count).Select(i => new BatchItem(i, $"item-{i}", i % 2 == 0 ? "" : "Once upon", null));

    /// <summary>Kills the worker as if it had written that before it died.</summary>
    public void KillWorker(string lastWords)
    {
        File.AppendAllText(folder.At("workers", "cpu0", "worker.log"), lastWords);
        KillWorker();
    }

    public void KillWorker()
    {
        using var process = Process.GetProcessById(Device.Supervisor.ProcessId);
        process.Kill();
    }

    public async ValueTask DisposeAsync()
    {
        await Device.Shards.LeaveAsync();
        await stopping.CancelAsync();
        await running;
        Device.Models.Dispose();
        cache.Dispose();
        await services.DisposeAsync();
        stopping.Dispose();
        folder.Dispose();
    }
}
