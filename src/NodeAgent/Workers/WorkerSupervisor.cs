using EgpuFleet.Kernels.Drivers.Doctor;
using EgpuFleet.Kernels.Engines;
using EgpuFleet.NodeAgent.Devices;
using EgpuFleet.NodeAgent.Joining;
using Microsoft.Extensions.Logging;

namespace EgpuFleet.NodeAgent.Workers;

/// <summary>
/// Keeps one worker alive: carries out what <see cref="WorkerLifecycle"/> decides, one phase after the other. Everybody else
/// reads <see cref="Life"/> and <see cref="Worker"/>; every change of phase is signalled.
/// </summary>
internal sealed partial class WorkerSupervisor(
    string device,
    WorkerLife beginning,
    WorkerLauncher launcher,
    DeviceMemory memory,
    BringUp bringUp,
    TimeProvider time,
    ChangeSignal changes,
    ILogger<WorkerSupervisor> log,
    DevicePatience? limits = null
)
{
    private readonly DevicePatience patience = limits ?? DevicePatience.Standard;
    private readonly long origin = time.GetTimestamp();
    private volatile WorkerLife life = beginning;
    private volatile WorkerProcess? worker;

    public WorkerLife Life => life;

    /// <summary>The worker that takes work; null unless ready, and from the moment its connection breaks.</summary>
    public WorkerProcess? Worker =>
        life.Phase == WorkerPhase.Ready && worker is { IsUsable: true } usable ? usable : null;

    /// <summary>The last process there was; 0 before the first.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Runs until the token fires; then ends the worker in order and returns.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
                await StepAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            Happened(new WorkerEvent.StopAsked());
            if (worker is { } last)
                await last.EndAsync();
        }
    }

    private async Task StepAsync(CancellationToken stopping)
    {
        switch (life.Phase)
        {
            case WorkerPhase.Starting:
                await StartAsync(stopping);
                break;
            case WorkerPhase.Testing:
                await TestAsync(worker!, stopping);
                break;
            case WorkerPhase.Ready:
                var reason = await WatchAsync(worker!, stopping);
                await BuryAsync($"{reason} {launcher.LastLine()}".TrimEnd());
                break;
            case WorkerPhase.Waiting or WorkerPhase.Quarantined:
                await Task.Delay(Later(life.RestartAt - time.GetElapsedTime(origin)), time, stopping);
                Happened(new WorkerEvent.Waited());
                break;
            default:
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stopping);
                break;
        }
    }

    private async Task StartAsync(CancellationToken stopping)
    {
        using var phase = bringUp.Begin("starting the worker");
        try
        {
            worker = await launcher.StartAsync(stopping);
            ProcessId = worker.ProcessId;
            Happened(new WorkerEvent.Connected());
        }
        catch (Exception e)
            when (e is WorkerStartException or EngineException or IOException or UnauthorizedAccessException)
        {
            await BuryAsync(e.Message);
        }
    }

    private async Task TestAsync(WorkerProcess tested, CancellationToken stopping)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        try
        {
            var probe = await OpenAsync(tested, stopping);
            using var phase = bringUp.Begin("testing the device");
            limit.CancelAfter(Limits.SelfTestTimeout);
            var test = await tested.Client.SelfTestAsync(limit.Token);
            if (!test.Passed)
            {
                await BuryAsync($"The numeric self-test failed: {test.Text}");
                return;
            }
            LogReady(device, tested.ProcessId, probe.Description, test.Text);
            Happened(new WorkerEvent.Tested());
        }
        catch (EngineException e)
        {
            await BuryAsync($"{e.Message} {launcher.LastLine()}".TrimEnd());
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            await BuryAsync($"The self-test did not end within {Limits.SelfTestTimeout.TotalSeconds:0} s.");
        }
    }

    private async Task<EngineProbe> OpenAsync(WorkerProcess opening, CancellationToken stopping)
    {
        using var phase = bringUp.Begin("opening the device");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        limit.CancelAfter(Limits.OpenTimeout);
        try
        {
            var probe = await opening.Client.ProbeAsync(limit.Token);
            memory.Learn(probe.TotalMemoryBytes);
            return probe;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new EngineException(
                EngineErrorClass.WorkerHung,
                $"The device did not open within {Limits.OpenTimeout.TotalMinutes:0} min."
            );
        }
    }

    /// <summary>
    /// Until the worker is gone, or hangs with its socket open: its reader answers even while a decode blocks, so silence
    /// means that nothing of it will ever come, and its leases must not be renewed by a healthy agent.
    /// </summary>
    private async Task<string> WatchAsync(WorkerProcess watched, CancellationToken stopping)
    {
        var gone = watched.GoneAsync();
        while (true)
        {
            try
            {
                return (await gone.WaitAsync(patience.LookEvery, time, stopping)).Reason;
            }
            catch (TimeoutException)
            {
                // Still connected: ask.
            }
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            limit.CancelAfter(Limits.WorkerProbeTimeout);
            try
            {
                var stats = await watched.Client.StatsAsync(limit.Token);
                if (patience.Judge(stats.DeviceCall) is { } hang)
                    watched.Condemn(hang);
            }
            catch (EngineException e)
            {
                return e.Message;
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                return $"The worker did not answer for {Limits.WorkerProbeTimeout.TotalSeconds:0} s.";
            }
        }
    }

    /// <summary>After any device error the process is replaced, never retried inside; it may still run, so it is ended first.</summary>
    private async Task BuryAsync(string reason)
    {
        var dead = worker;
        worker = null;
        var death = WorkerDeath.Explain($"{launcher.LastWords()}\n{reason}");
        var known = death.IsKnown ? $"{death.Cause} ({reason})" : reason;
        var trouble = new WorkerTrouble(death, time.GetUtcNow());
        Happened(new WorkerEvent.Died(time.GetElapsedTime(origin), known, trouble));
        LogDied(device, life.Phase, reason);
        if (dead is not null)
            await dead.KillAsync();
    }

    private void Happened(WorkerEvent happened)
    {
        life = WorkerLifecycle.Apply(life, happened);
        changes.Raise();
    }

    private static TimeSpan Later(TimeSpan wait) => wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
}
