using System.Diagnostics.Metrics;
using EgpuFleet.Grains.Interfaces;
using EgpuFleet.Grains.Interfaces.Execution;
using EgpuFleet.Grains.Interfaces.Fleet;
using EgpuFleet.Grains.Interfaces.Jobs;
using EgpuFleet.Grains.Interfaces.Models;
using EgpuFleet.Grains.Interfaces.Scheduling;
using EgpuFleet.Grains.Ports;
using EgpuFleet.Grains.Scheduling;
using EgpuFleet.Grains.Tests.Policy;
using EgpuFleet.TestKit.Ledgers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace EgpuFleet.Grains.Tests.Scheduling;

/// <summary>A scheduler on an in-memory ledger, fake agents and virtual time.</summary>
internal sealed partial class Rig : IAsyncDisposable, IDeviceCalls, IModelCatalog
{
    /// <summary>Only keeps a broken test from hanging; no test depends on it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<NodeId, FakeAgent> agents;
    private CancellationTokenSource stop = new();
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private Task running = Task.CompletedTask;
    private int holders;

    private Rig(SchedulingOptions options, FakeAgent[] agents)
    {
        Options = options;
        this.agents = agents.ToDictionary(agent => agent.Device.Node);
        Ledger = new TestLedger(new InMemoryLedger(Time), Time);
        Metrics = new FleetMetrics(services.GetRequiredService<IMeterFactory>());
        Loop = NewLoop();
    }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddYears(60));
    public SchedulingOptions Options { get; }
    public TestLedger Ledger { get; }
    public FleetMetrics Metrics { get; }
    public SchedulerLoop Loop { get; private set; }
    public ModelRecord Model { get; } = Given.Model();

    /// <summary>A leading scheduler that has heard each agent once.</summary>
    public static Task<Rig> StartAsync(params FakeAgent[] agents) => StartAsync(new SchedulingOptions(), agents);

    public static async Task<Rig> StartAsync(SchedulingOptions options, params FakeAgent[] agents)
    {
        var rig = new Rig(options, agents);
        rig.Run();
        await rig.UntilLeadingAsync();
        await rig.HearAllAsync();
        return rig;
    }

    /// <summary>Stops the leader, and starts another that knows nothing but the ledger.</summary>
    public async Task ReplaceLeaderAsync()
    {
        await StopAsync();
        stop.Dispose();
        stop = new CancellationTokenSource();
        Loop = NewLoop();
        Run();
        await UntilLeadingAsync();
    }

    /// <summary>
    /// Waits for leadership. Virtual time passes only until it is won: beside a scheduler that is about to serve, the leases
    /// it has just inherited would run out before anyone was heard.
    /// </summary>
    public async Task UntilLeadingAsync()
    {
        for (var i = 0; i < 10_000 && !Loop.IsLeading; i++)
        {
            await LetThingsHappenAsync(Loop.UntilLeadingAsync());
            Assert.False(running.IsCompleted, $"The loop has ended: {running.Exception}");
            if (!Ledger.IsLed)
                Time.Advance(Options.Tick);
        }
        Assert.True(Loop.IsLeading);
    }

    // Virtual time has no signal for "a timer was set": a moment of real time goes by before each of its steps.
    private static Task<Task> LetThingsHappenAsync(Task signal) => Task.WhenAny(signal, Task.Delay(1));

    /// <summary>Agents that were not there from the start.</summary>
    public void Join(params FakeAgent[] joining)
    {
        foreach (var agent in joining)
            agents.Add(agent.Device.Node, agent);
    }

    /// <summary>Lets time pass until an agent is given a shard; all agents speak meanwhile.</summary>
    public async Task<ShardAssignment> PassTimeUntilNextAsync(FakeAgent agent)
    {
        var next = agent.NextAsync();
        while (!next.IsCompleted)
        {
            Time.Advance(Options.Tick);
            await HearAllAsync();
            await LetThingsHappenAsync(next);
        }
        return await next;
    }

    public async Task HearAllAsync()
    {
        foreach (var agent in agents.Values)
            await agent.HeartbeatAsync(this);
    }

    /// <summary>Waits until the log of a job says so; time stands still meanwhile.</summary>
    public async Task<IReadOnlyList<JobEvent>> UntilAsync(JobId job, Func<IReadOnlyList<JobEvent>, bool> condition)
    {
        while (true)
        {
            var changed = Ledger.Changed;
            var events = await EventsAsync(job);
            if (condition(events))
                return events;
            Assert.False(running.IsCompleted, $"The loop has ended: {running.Exception}");
            await changed.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Lets time pass in small steps, the given agents speaking at each, until the log of a job says so.</summary>
    public async Task<IReadOnlyList<JobEvent>> PassTimeUntilAsync(
        JobId job,
        Func<IReadOnlyList<JobEvent>, bool> condition,
        params FakeAgent[] speaking
    )
    {
        for (var i = 0; i < 10_000; i++)
        {
            var events = await EventsAsync(job);
            if (condition(events))
                return events;
            Time.Advance(Options.Tick);
            foreach (var agent in speaking)
                await agent.HeartbeatAsync(this);
            await LetThingsHappenAsync(Ledger.Changed);
        }
        throw new TimeoutException("Virtual time passed, and it did not happen.");
    }

    /// <summary>Lets time pass in small steps until something holds.</summary>
    public async Task PassTimeUntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 10_000; i++)
        {
            if (await condition())
                return;
            await PassTimeAsync();
        }
        throw new TimeoutException("Virtual time passed, and it did not happen.");
    }

    /// <summary>Lets a step of time pass, the given agents speaking.</summary>
    public async Task PassTimeAsync(params FakeAgent[] speaking)
    {
        Time.Advance(Options.Tick);
        foreach (var agent in speaking)
            await agent.HeartbeatAsync(this);
        await LetThingsHappenAsync(Ledger.Changed);
    }

    public Task<IReadOnlyList<JobEvent>> UntilSucceededAsync(JobId job) =>
        UntilAsync(job, events => Has(events, JobEventKind.Succeeded));

    public static bool Has(IReadOnlyList<JobEvent> events, JobEventKind kind) => events.Any(e => e.Kind == kind);

    public Task<IReadOnlyList<JobEvent>> EventsAsync(JobId job) =>
        Ledger.ReadEventsAsync(job, 0, 10_000, TestContext.Current.CancellationToken);

    public async Task<JobRecord> JobAsync(JobId job) =>
        (await Ledger.FindJobAsync(job, TestContext.Current.CancellationToken))!;

    /// <summary>Every item has exactly one result, and the log ends with success.</summary>
    public async Task AssertCompleteAsync(JobId job, int items)
    {
        var results = await Ledger.ReadResultsAsync(job, TestContext.Current.CancellationToken).ToListAsync();
        Assert.Equal(Enumerable.Range(0, items), results.Select(result => result.Index).Order());
        var record = await JobAsync(job);
        Assert.Equal((JobState.Succeeded, items), (record.State, record.CompletedItems));
        var events = await EventsAsync(job);
        Assert.Equal(JobEventKind.Succeeded, events[^1].Kind);
        Assert.Single(events, e => e.Kind == JobEventKind.Succeeded);
        AssertLegal(events);
    }

    /// <summary>The log is a walk through the lifecycles.</summary>
    private static void AssertLegal(IReadOnlyList<JobEvent> events)
    {
        JobState? state = null;
        foreach (var e in events)
        {
            var next = Grains.Jobs.JobLifecycle.Apply(state, e.Kind);
            Assert.True(next.Legal, $"{e.Kind} in state {state}");
            state = next.State;
        }
    }

    public async Task<Refusal?[]> StartShardsAsync(
        DeviceId device,
        ShardAssignment[] assignments,
        CancellationToken cancellationToken
    )
    {
        await Task.Yield();
        return Array.ConvertAll(assignments, Agent(device).Start);
    }

    public async Task StopShardsAsync(DeviceId device, LeaseKey[] leases, CancellationToken cancellationToken)
    {
        await Task.Yield();
        Array.ForEach(leases, Agent(device).Stop);
    }

    public Task<ModelRecord?> FindAsync(ModelRef model, CancellationToken cancellationToken) =>
        Task.FromResult(model == Model.Ref ? Model : null);

    public async ValueTask DisposeAsync()
    {
        Ledger.LetGo();
        await StopAsync();
        stop.Dispose();
        await services.DisposeAsync();
    }

    private FakeAgent Agent(DeviceId device) =>
        agents.TryGetValue(device.Node, out var agent) ? agent : throw new NodeOfflineException(device.Node.Value);

    private void Run()
    {
        var (loop, token) = (Loop, stop.Token);
        running = Task.Run(() => loop.RunAsync(token), CancellationToken.None);
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        await running.WaitAsync(Patience);
    }

    private SchedulerLoop NewLoop() =>
        new(
            PoolId.Default,
            $"holder {++holders}",
            Ledger,
            this,
            this,
            Options,
            Metrics,
            Time,
            LoggerFactory.Create(logging => logging.ClearProviders())
        );
}
