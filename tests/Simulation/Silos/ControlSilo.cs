using System.Diagnostics.Metrics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using EgpuFleet.Simulation.Tests.Storage;
using EgpuFleet.Simulation.Tests.World;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.Simulation.Tests.Silos;

/// <summary>What a silo of the simulated world stands on.</summary>
internal sealed record SiloParts(
    Clockwork Clockwork,
    Dice Dice,
    Trace Trace,
    Database Database,
    ILedger Ledger,
    IModelCatalog Models,
    Func<Place, IDeviceCalls> Devices,
    SchedulingOptions Options,
    ILoggerFactory Loggers
);

/// <summary>A control silo: the real scheduler in a simulated process that can die, freeze and come back.</summary>
internal sealed class ControlSilo(string host, SiloParts parts) : IDisposable
{
    // Shared by every world of the process: nothing reads it, and meters are never given back.
    private static readonly FleetMetrics Metrics = new(new Meters());

    private CancellationTokenSource stop = new();
    private SchedulerLoop? loop;
    private int starts;

    public string Host => host;

    /// <summary>The process that runs now; null while there is none.</summary>
    public Place? Place { get; private set; }

    public bool IsLeading => Place is { IsAlive: true } && loop is { IsLeading: true };

    /// <summary>Schedulers that ended by an error that ends no term: a broken invariant of the product.</summary>
    public List<Exception> Broken { get; } = [];

    public void Start()
    {
        if (Place is { IsAlive: true })
            return;
        parts.Trace.Note(host, "silo starts");
        Place = new Place(parts.Clockwork, host, parts.Dice.Between(TimeSpan.FromMinutes(-5), TimeSpan.FromMinutes(5)));
        Activate();
    }

    /// <summary>Ends at once, in the middle of whatever it does; only what it has sent goes on.</summary>
    public void Crash()
    {
        parts.Trace.Note(host, "silo dies");
        Place?.Kill();
        Place = null;
        loop = null;
    }

    /// <summary>The pool's activation goes elsewhere: this one ends in good order, and the next competes again.</summary>
    public void Move()
    {
        parts.Trace.Note(host, "activation moves");
        var ending = stop;
        Place?.Go(ending.Cancel);
    }

    public Task<SubmitReply[]> SubmitAsync(SubmitRequest[] requests) => Loop.SubmitAsync(requests);

    public Task<IReadOnlyDictionary<JobId, Refusal>> ExplainAsync(IReadOnlyList<JobId> jobs) =>
        Loop.ExplainWaitingAsync(jobs);

    public Task<JobRecord?> CancelAsync(JobId job) => Loop.CancelAsync(job);

    public Task<SteerReply> SteerAsync(JobId job, JobSteering steering) => Loop.SteerAsync(job, steering);

    public Task<ReportReply[]> ReportAsync(ShardReport[] reports) => Loop.ReportAsync(reports);

    public Task<HeartbeatReply> HeartbeatAsync(NodeHeartbeat heartbeat) => Loop.HeartbeatAsync(heartbeat);

    public void NodeDied(NodeId node) => loop?.NodeDied(node);

    public void Dispose() => stop.Dispose();

    private SchedulerLoop Loop => loop ?? throw new PoolUnavailableException("No activation here.");

    private void Activate()
    {
        var place = Place!;
        stop = new CancellationTokenSource();
        var mine = new SchedulerLoop(
            PoolId.Default,
            $"{host}#{++starts}",
            new Connection(place, parts.Database, parts.Ledger),
            parts.Models,
            parts.Devices(place),
            parts.Options,
            Metrics,
            place.Clock,
            parts.Loggers
        );
        loop = mine;
        var token = stop.Token;
        place.Go(() => RunAsync(place, mine, token));
    }

    private async Task RunAsync(Place place, SchedulerLoop mine, CancellationToken token)
    {
        try
        {
            await mine.RunAsync(token);
        }
        // What production logs as broken, before the next call activates the grain again.
        catch (Exception why)
        {
            parts.Trace.Note(host, $"broke: {why.Message}");
            Broken.Add(why);
        }
        await Task.Delay(TimeSpan.FromSeconds(1), place.Clock, CancellationToken.None);
        Activate();
    }

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose() { }
    }
}
