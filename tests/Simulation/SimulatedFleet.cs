using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using EgpuFleet.Simulation.Tests.Agents;
using EgpuFleet.Simulation.Tests.Clients;
using EgpuFleet.Simulation.Tests.Faults;
using EgpuFleet.Simulation.Tests.Silos;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;
using EgpuFleet.TestKit.Ledgers;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Simulation.Tests;

/// <summary>A whole fleet in one thread: silos with the real scheduler, a database, machines, clients and what goes wrong.</summary>
internal sealed class SimulatedFleet : IDisposable
{
    private const long GigaByte = 1 << 30;

    // More often would cost most of a run's steps, and show nothing else.
    private static readonly SchedulingOptions Options = new() { LeaderPoll = TimeSpan.FromMilliseconds(400) };

    private readonly Network network;
    private readonly Place sky;
    private readonly List<ControlSilo> silos = [];
    private readonly List<Machine> machines = [];
    private readonly List<Client> clients = [];

    /// <param name="mutate">Puts a ledger that is broken on purpose in place of the good one; null: the good one.</param>
    public SimulatedFleet(ulong seed, Func<ILedger, ILedger>? mutate, ILoggerFactory? loggers)
    {
        var dice = new Dice(seed);
        Clockwork = new Clockwork(dice.Fork());
        Trace = new Trace(Clockwork);
        sky = new Place(Clockwork, "sky");
        network = new Network(Clockwork, dice.Fork(), Trace);
        Database = new Database(Clockwork, dice.Fork(), Trace);
        ILedger ledger = new InMemoryLedger(Database.Place.Clock);
        Ledger = new RecordingLedger(mutate?.Invoke(ledger) ?? ledger, Clockwork, Database.Place.Clock, Trace);
        Pool = new PoolDirectory(network, dice.Fork(), silos);
        AddSilos(dice.Fork(), loggers ?? Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        AddMachines(dice.Fork());
        AddClients(dice.Fork());
        Faults = new FaultInjector(sky, dice.Fork(), network, Database, Ledger, silos, machines, Trace);
    }

    public Clockwork Clockwork { get; }
    public Trace Trace { get; }
    public Database Database { get; }
    public RecordingLedger Ledger { get; }
    public PoolDirectory Pool { get; }
    public FaultInjector Faults { get; }
    public ClientLog Log { get; } = new();
    public IReadOnlyList<ControlSilo> Silos => silos;
    public IReadOnlyList<Machine> Machines => machines;
    public bool AreClientsDone => clients.TrueForAll(client => client.IsDone);

    public void Start()
    {
        foreach (var silo in silos)
            silo.Start();
        foreach (var machine in machines)
            machine.Start();
    }

    /// <summary>Repairs everything and lets all work go.</summary>
    public void Heal()
    {
        Faults.Heal();
        var place = new Place(Clockwork, "owner");
        var owner = new Owner(place, Pool, new Connection(place, Database, Ledger), Trace);
        place.Go(() => owner.RunAsync(JobMaker.Tenants));
    }

    public void Dispose()
    {
        foreach (var silo in silos)
            silo.Dispose();
    }

    private void AddSilos(Dice dice, ILoggerFactory loggers)
    {
        var models = new Models();
        var parts = new SiloParts(
            Clockwork,
            dice.Fork(),
            Trace,
            Database,
            Ledger,
            models,
            place => new DeviceCalls(place, network, machines.ToDictionary(machine => machine.Node)),
            Options,
            loggers
        );
        for (var i = dice.Between(2, 3); i > 0; i--)
            silos.Add(new ControlSilo($"silo-{i}", parts));
    }

    private void AddMachines(Dice dice)
    {
        for (var i = dice.Between(2, 4); i > 0; i--)
        {
            var node = new NodeId($"mac-{i}");
            var memory = (dice.Chance(0.5) || i == 1 ? 16 : 2) * GigaByte;
            List<DeviceFacts> devices = [Facts(node, "cpu0", DeviceKind.Cpu, memory, ShardBench.NoopSlots)];
            if (dice.Chance(0.4))
                devices.Add(Facts(node, "gpu0", DeviceKind.ExternalGpu, 16 * GigaByte, noopSlots: 0));
            machines.Add(new Machine(Clockwork, node.Value, devices, dice.Fork(), Pool, Log, Trace));
        }
    }

    private void AddClients(Dice dice)
    {
        var workload = new Workload(
            NoopShare: dice.Between(0, 100) / 100.0,
            RulesShare: dice.Between(0, 100) / 100.0,
            SteeringShare: dice.Between(0, 40) / 100.0
        );
        for (var i = dice.Between(2, 4); i > 0; i--)
        {
            var place = new Place(Clockwork, $"client-{i}");
            var ledger = new Connection(place, Database, Ledger);
            var client = new Client(place, dice.Fork(), workload, Pool, ledger, Database.Place.Clock, Log, Trace);
            clients.Add(client);
            var calls = dice.Between(4, 14);
            place.Go(() => client.RunAsync(calls, TimeSpan.FromSeconds(4)));
        }
        var reader = new Place(Clockwork, "reader");
        var looking = new Reader(reader, dice.Fork(), new Connection(reader, Database, Ledger), Log);
        reader.Go(looking.RunAsync);
    }

    private static DeviceFacts Facts(NodeId node, string name, DeviceKind kind, long memoryBytes, int noopSlots) =>
        new(new DeviceId(node, name), kind, name, "simulated", Threads: 1, memoryBytes, noopSlots);
}
